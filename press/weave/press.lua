-- What Quarto does by itself, done for press: numbers, references, captions,
-- exercises, callouts, margin notes, file names above code.
--
-- Metadata `press`: labels (id to reference, number, href), numbers (of the
-- headings, in order), all made by press/labels.py.

local epub = FORMAT:match 'epub' ~= nil
local html = FORMAT:match 'html' ~= nil or epub
local typst = FORMAT:match 'typst' ~= nil
local labels, numbers, modules, terms = {}, pandoc.List(), nil, {}

local plain = dofile(pandoc.path.join {
  pandoc.path.directory(PANDOC_SCRIPT_FILE), '..', 'read', 'plain.lua'})

local function stringify(x) return x and pandoc.utils.stringify(x) end

local function written(inlines)
  local doc = pandoc.Pandoc {pandoc.Plain(inlines)}
  return (pandoc.write(doc, 'typst'):gsub('%s+$', ''))
end

local function raw(code) return pandoc.RawBlock('typst', code) end

local function around(open, inlines, close)
  local result = pandoc.Inlines {pandoc.RawInline('typst', open)}
  result:extend(inlines)
  result:insert(pandoc.RawInline('typst', close))
  return pandoc.Para(result)
end

-- The walk ends at what a filter returns, so it goes on from here.
local div
local function wrapped(open, blocks, close)
  local result = pandoc.List {type(open) == 'string' and raw(open) or open}
  result:extend(pandoc.Blocks(blocks):walk {traverse = 'topdown', Div = div})
  result:insert(raw(close))
  return result
end

local function quoted(text)
  return '"' .. text:gsub('\\', '\\\\'):gsub('"', '\\"') .. '"'
end

local function read_metadata(meta)
  local file = assert(io.open(stringify(meta.press)))
  local data = pandoc.json.decode(file:read 'a', false)
  file:close()
  labels, numbers = data.labels, pandoc.List(data.numbers)
  modules, terms = data.modules, data.terms or {}
end

-- ------------------------------------------------------------- headings

local heading_count = 0

local function heading(el)
  if el.classes:includes 'not-counted' then
    el.classes = el.classes:filter(function(c) return c ~= 'not-counted' end)
    if typst then
      return around(string.format('#heading(level: %d, outlined: false)[',
        el.level), el.content, ']')
    end
    return el
  end
  heading_count = heading_count + 1
  local number = numbers[heading_count] or ''
  -- Of an EPUB's headings its contents and titles are made, as plain text.
  if epub then el.content = el.content:walk {Math = plain.Math} end
  if html then
    if number ~= '' then
      local class = el.level == 1 and 'chapter-number' or 'section-number'
      el.content:insert(1, pandoc.Space())
      el.content:insert(1, pandoc.Span({pandoc.Str(number)}, {class = class}))
    end
    return el
  end
  if typst then
    local numbering = 'none'
    if number ~= '' then
      numbering = string.format('(..) => %s', quoted(number))
    end
    local label = labels[el.identifier] and ' <' .. el.identifier .. '>' or ''
    return around(string.format('#heading(level: %d, numbering: %s)[',
      el.level, numbering), el.content, ']' .. label)
  end
end

-- Headings inside exercises and callouts are titles, not sections.
local function titles_apart(doc)
  doc.blocks = doc.blocks:walk {Div = function(el)
    local id = el.identifier
    local callout = el.classes:find_if(function(c)
      return c:match '^callout' end)
    if id:match '^exr%-' or el.classes:includes 'solution' or callout
      or el.classes:includes 'answers' then
      el.content = el.content:walk {Header = function(h)
        h.classes:insert 'not-counted'
        if typst and el.classes:includes 'answers' and numbers[1] ~= '' then
          h.content:insert(1, pandoc.Str(numbers[1] .. '\u{2002}'))
        end
        return h
      end}
      return el
    end
  end}
  return doc
end

-- The section that says where to read on is set in smaller letters.
local function further(doc)
  if not typst then return nil end
  local open
  for i, block in ipairs(doc.blocks) do
    local over = open and block.t == 'RawBlock'
      and block.text:match '^// press:'
    if over then
      doc.blocks:insert(i, raw ']')
      return doc
    elseif block.t == 'Header' and block.level == 2
      and stringify(block):match '^In torch.+s own source$' then
      doc.blocks:insert(i + 1, raw '#further[')
      open = true
    end
  end
  if open then doc.blocks:insert(raw ']') end
  return doc
end

-- ----------------------------------------------------------- references

-- On paper the works cited are those of the whole book: press/pdf.py finds
-- out how each citation reads.
local function work_cited(el)
  if not typst then return nil end
  local mark = pandoc.write(pandoc.Pandoc {pandoc.Plain {el}}, 'markdown',
    {wrap_text = 'none'}):gsub('%s+$', '')
  return pandoc.RawInline('typst', string.format('#cited(%s);', quoted(mark)))
end

local function reference(el)
  if #el.citations ~= 1 then
    for _, citation in ipairs(el.citations) do
      if labels[citation.id] then
        error('write one reference at a time: @' .. citation.id)
      end
    end
    return work_cited(el)
  end
  local citation = el.citations[1]
  local label = labels[citation.id]
  if not label then return work_cited(el) end
  local text = label.reference
  if citation.mode == 'SuppressAuthor' then text = label.number end
  local attributes = {class = 'reference'}
  if FORMAT:match 'html' and label.title ~= '' then
    attributes['data-title'] = label.title
  end
  return pandoc.Link({pandoc.Str(text)}, label.href, '', attributes)
end

-- ------------------------------------------------------------- captions

local function captioned(el, id)
  local label = labels[id]
  if not label then return el end
  local prefix = pandoc.Span({pandoc.Str(label.reference .. ':')},
    {class = 'caption-label'})
  local long = el.caption.long
  if #long == 0 then long:insert(pandoc.Plain {}) end
  long[1].content:insert(1, pandoc.Space())
  long[1].content:insert(1, typst and pandoc.Strong(prefix.content) or prefix)
  el.caption.long = long
  return el
end

-- Where pandoc splits an EPUB it knows the ids of divs, not of figures.
local function figure(el)
  local id = el.identifier
  if not epub or id == '' then return captioned(el, id) end
  el.identifier = ''
  return pandoc.Div({captioned(el, id)}, pandoc.Attr(id))
end

local function tabled(el)
  local id = el.identifier
  -- Widths are found where the table is set: no word is too long for them.
  if html and not epub and el.colspecs:find_if(
    function(spec) return spec[2] end) then
    el.classes:insert 'wide'
  end
  el.colspecs = el.colspecs:map(function(spec) return {spec[1]} end)
  if typst then
    local rows = 0
    for _, body in ipairs(el.bodies) do rows = rows + #body.body end
    return {raw(string.format('#tabular(%d)[', rows)), captioned(el, id),
      raw ']'}
  end
  return captioned(el, id)
end

-- ------------------------------------------------------------ equations

-- Mathematics as Typst writes it: no space between a function's name and
-- its parenthesis, and a bar that is not a relation, as in TeX.
local function adjusted(source)
  return (source:gsub('" \\%(', '"\\(')
    :gsub('\\|', 'class("normal", \\|)'))
end

-- All of it is written at once, since each writing has a cost of its own.
local mathematics = {}

local function gather_math(doc)
  if not typst then return nil end
  local found, blocks = pandoc.List(), pandoc.List()
  local mark = '// the next formula'
  doc:walk {Math = function(math)
    local key = math.mathtype .. math.text
    if not mathematics[key] then
      mathematics[key] = true
      found:insert(key)
      blocks:insert(raw(mark))
      blocks:insert(pandoc.Plain {math})
    end
  end}
  local text = pandoc.write(pandoc.Pandoc(blocks), 'typst', {wrap_text = 'none'})
  local start = 1
  for _, key in ipairs(found) do
    local _, from = text:find(mark, start, true)
    start = text:find(mark, from, true) or #text + 1
    mathematics[key] = text:sub(from + 1, start - 1):match '^%s*(.-)%s*$'
  end
end

local function set_math(math)
  return adjusted(mathematics[math.mathtype .. math.text] or written {math})
end

local function equation(math, id)
  local label = labels[id]
  if not label then return pandoc.Para {math} end
  if typst then
    return raw(string.format(
      '#math.equation(block: true, alt: %s, numbering: (..) => "(%s)", ' ..
      '%s.body) <%s>', quoted((math.text:gsub('%s+', ' '))), label.number,
      set_math(math), id))
  end
  return pandoc.Div({
    pandoc.Plain {math},
    pandoc.Plain {pandoc.Span({pandoc.Str('(' .. label.number .. ')')},
      {class = 'equation-number'})},
  }, pandoc.Attr(id, {'equation'}))
end

-- On paper an equation carries its source, to be read aloud.
local function spoken(math)
  if not typst then return nil end
  return pandoc.RawInline('typst', string.format(
    '#math.equation(block: %s, alt: %s, %s.body)',
    math.mathtype == 'DisplayMath' and 'true' or 'false',
    quoted((math.text:gsub('%s+', ' '))), set_math(math)))
end

local function equations(el)
  if not stringify(el):find('{#eq-', 1, true) then return nil end
  local result, rest = pandoc.List(), pandoc.List()
  local found, i, content = false, 1, el.content
  while i <= #content do
    local item = content[i]
    local after = content[i + 1]
    if after and after.t == 'Space' or after and after.t == 'SoftBreak' then
      after = content[i + 2]
    end
    local id = item.t == 'Math' and item.mathtype == 'DisplayMath'
      and after and after.t == 'Str' and after.text:match '^{#(eq%-[%w-]+)}'
    if id then
      found = true
      local tail = after.text:gsub('^{#eq%-[%w-]+}', '')
      if #rest > 0 then result:insert(pandoc.Para(rest)) end
      rest = pandoc.List()
      result:insert(equation(item, id))
      i = (content[i + 1] == after) and i + 2 or i + 3
      if tail ~= '' then rest:insert(pandoc.Str(tail)) end
      while #rest == 0 and content[i]
        and (content[i].t == 'Space' or content[i].t == 'SoftBreak') do
        i = i + 1
      end
    else
      rest:insert(item)
      i = i + 1
    end
  end
  if not found then return nil end
  if #rest > 0 then result:insert(pandoc.Para(rest)) end
  return result
end

-- ------------------------------------------------ exercises and solutions

local function take_title(el)
  for i, block in ipairs(el.content) do
    if block.t == 'Header' then
      el.content:remove(i)
      return block.content
    end
  end
end

local function exercise_head(label, title)
  local head = pandoc.List {pandoc.Str(label.reference)}
  if title then
    head:insert(pandoc.Space())
    head:insert(pandoc.Str '(')
    head:extend(title)
    head:insert(pandoc.Str ')')
  end
  return head
end

local function exercise(el)
  local label = labels[el.identifier]
  local head = exercise_head(label, take_title(el))
  if typst then
    return wrapped(
      around('#exercise([', head, string.format('], %s)[',
        quoted(el.identifier))), el.content,
      string.format('] <%s>', el.identifier))
  end
  el.classes:insert 'exercise'
  el.content:insert(1, pandoc.Para {pandoc.Span({pandoc.Strong(head)},
    {class = 'exercise-title'})})
  return el
end

local function solution(el)
  if typst then return nil end
  if not html then
    el.content:insert(1, pandoc.Para {pandoc.Strong 'Solution'})
    return el
  end
  local result = pandoc.List {pandoc.RawBlock('html',
    '<details class="solution"><summary>Solution</summary>')}
  result:extend(el.content)
  result:insert(pandoc.RawBlock('html', '</details>'))
  return result
end

-- --------------------------------------------------------------- quizzes

-- The template draws the boxes to tick.
local function unticked(list)
  for _, item in ipairs(list.content) do
    local content = item[1] and item[1].content
    if content and content[1] and
      (content[1].text == '☐' or content[1].text == '☒') then
      content:remove(1)
      if content[1] and content[1].t == 'Space' then content:remove(1) end
    end
  end
  return list
end

-- In a notebook the right answer is folded away below the options.
local function quiz_in_notebook(el)
  local answer = pandoc.List()
  el.content:walk {BulletList = function(list)
    for _, item in ipairs(list.content) do
      if stringify(item[1]):match '^☒' then
        local content = item[1].content:clone()
        content:remove(1)
        answer:insert(pandoc.Para(content))
      end
    end
  end}
  local result = el.content:walk {
    BulletList = unticked,
    Span = function(span)
      if span.classes:includes 'why' then return {} end
    end,
  }
  result:insert(pandoc.RawBlock('html',
    '<details><summary>Answer</summary>'))
  result:extend(answer)
  result:insert(pandoc.RawBlock('html', '</details>'))
  return result
end

-- What a reader answers is kept under the keys that press/quizzes.py gives;
-- what it did not see, as in a quotation, is known by its printed words.
local function key_of(words)
  return pandoc.utils.sha1(stringify(words)):sub(1, 10)
end

local function quiz(el)
  local key = el.attributes.quiz or key_of(el.content)
  local options = el.attributes.options or ''
  el.attributes.quiz, el.attributes.options = nil, nil
  if typst then
    return wrapped('#quiz[', el.content:walk {BulletList = unticked}, ']')
  end
  if epub then return el end
  if not html then return quiz_in_notebook(el) end
  local name, next_option = 'quiz-' .. key, options:gmatch '%S+'
  local result = pandoc.List {pandoc.RawBlock('html',
    string.format('<fieldset class="quiz" id="%s">', name))}
  for position, block in ipairs(el.content) do
    if position == 1 and block.t == 'Para' then
      result:insert(pandoc.RawBlock('html', '<legend>'))
      local content = block.content
      if #content == 1 and content[1].t == 'Strong' then
        content = content[1].content
      end
      result:insert(pandoc.Plain(content))
      result:insert(pandoc.RawBlock('html', '</legend>'))
    elseif block.t == 'BulletList' then
      for _, item in ipairs(block.content) do
        local content = item[1].content
        local right = content[1].text == '☒'
        content:remove(1)
        result:insert(pandoc.RawBlock('html', string.format(
          '<label class="option %s"><input type="radio" name="%s" ' ..
          'value="%s">', right and 'right' or 'wrong', name,
          next_option() or key_of(content))))
        result:insert(pandoc.Plain {pandoc.Span(content)})
        result:insert(pandoc.RawBlock('html', '</label>'))
      end
    else
      result:insert(block)
    end
  end
  result:insert(pandoc.RawBlock('html', '</fieldset>'))
  return result
end

-- ---------------------------------------------------------------- others

local function callout(el, kind)
  local title = el.attributes.title
  local content = take_title(el)
  local head = content or pandoc.utils.blocks_to_inlines(pandoc.read(
    title or (kind:sub(1, 1):upper() .. kind:sub(2)), 'markdown').blocks)
  if typst then
    return wrapped(around(string.format('#callout("%s", [', kind), head,
      '])['), el.content, ']')
  end
  el.attributes.title = nil
  el.content:insert(1, pandoc.Para {pandoc.Span(head,
    {class = 'callout-title'})})
  return el
end

local function visible(el)
  local wanted = el.attributes['when-format']
  local hidden = el.attributes['unless-format']
  local function holds(name)
    return (name == 'html' and html and not epub) or (name == 'typst' and typst)
      or (name == 'pdf' and typst)
  end
  if (wanted and not holds(wanted)) or (hidden and holds(hidden)) then
    return {}
  end
  return el.content
end

-- How many lines of code and output a cell has; a picture counts as many.
local function height(el)
  local lines = 0
  el:walk {
    CodeBlock = function(block)
      lines = lines + 1 + select(2, block.text:gsub('\n', ''))
    end,
    Image = function() lines = lines + 100 end,
    Table = function() lines = lines + 100 end,
  }
  return lines
end

local function has_code(el)
  return el.content:find_if(function(b) return b.t == 'CodeBlock' end) ~= nil
end

-- On paper the front of the book lists the simulations; each leaves there
-- what it shows and the figure that stands for it.
local function simulation(el)
  local id
  el:walk {Figure = function(fig) id = id or fig.identifier end}
  if not labels[id] then return nil end
  local shows = el.attributes['data-shows']
  return wrapped(string.format('#simulation(%s, %s, %s, %s)',
    quoted(el.attributes['data-sim']), quoted(id),
    quoted(labels[id].reference), shows and quoted(shows) or 'none'),
    el.content, '')
end

-- On screen the solutions stand at their exercises; the appendix leads there.
local function exercises_listed()
  local found = pandoc.List()
  for id, label in pairs(labels) do
    if id:match '^exr%-' then found:insert(label) end
  end
  local function order(label)
    local chapter, count = label.number:match '^(%w+)%.(%d+)$'
    if not chapter then chapter, count = '0', label.number end
    return string.format('%-3s%3s', chapter:match '%d' and
      string.format('%03d', chapter) or chapter, count)
  end
  found:sort(function(a, b) return order(a) < order(b) end)
  return pandoc.BulletList(found:map(function(label)
    local words = pandoc.Inlines {pandoc.Link({pandoc.Str(label.reference)},
      label.href, '', {class = 'reference'})}
    if label.title ~= '' then
      words:extend {pandoc.Space(), pandoc.Str(label.title)}
    end
    return {pandoc.Plain(words)}
  end))
end

function div(el)
  if html and not epub and el.classes:includes 'solutions' then
    return exercises_listed()
  end
  if el.classes:includes 'content-visible' then return visible(el) end
  if el.classes:includes 'content-hidden' then
    el.attributes['when-format'], el.attributes['unless-format'] =
      el.attributes['unless-format'], el.attributes['when-format']
    return visible(el)
  end
  if el.identifier:match '^exr%-' and labels[el.identifier] then
    return exercise(el)
  end
  if el.classes:includes 'solution' then return solution(el) end
  if el.classes:includes 'quiz' then return quiz(el) end
  for _, kind in ipairs {'note', 'tip', 'warning', 'important', 'caution'} do
    if el.classes:includes('callout-' .. kind) then
      return callout(el, kind)
    end
  end
  if typst and el.classes:includes 'sim' then return simulation(el) end
  if typst and el.classes:includes 'column-margin' then
    return wrapped('#aside-block[', el.content, ']')
  end
  if typst and el.classes:includes 'answers' then
    return pandoc.Blocks(el.content):walk {traverse = 'topdown', Div = div}
  end
  if typst and el.classes:includes 'cell' then
    local shows = el.content[1] and el.content[1].t == 'CodeBlock'
      and el.content[2] and ', shows: true' or ''
    return wrapped(string.format('#cell(%d%s)[', height(el), shows),
      el.content, ']')
  end
  if typst and el.classes:includes 'cell-output' then
    local open = has_code(el) and string.format('#output(%d)[', height(el))
      or '#display['
    return wrapped(open, el.content, ']')
  end
end

-- Outside code a number is written as on paper: 6e-04 as 6 × 10⁻⁴.
local high = {['-'] = '⁻', ['0'] = '⁰', ['1'] = '¹', ['2'] = '²', ['3'] = '³',
  ['4'] = '⁴', ['5'] = '⁵', ['6'] = '⁶', ['7'] = '⁷', ['8'] = '⁸', ['9'] = '⁹'}

local function scientific(el)
  local before, digits, sign, power, after =
    el.text:match '^([^%w]*)(%d[%d.]*)e([+-]?)0*(%d+)([^%w]*)$'
  if not digits then return nil end
  local exponent = ((sign == '-' and '-' or '') .. power):gsub('.', high)
  before = before:gsub('%-$', '−')
  el.text = before .. digits .. '\u{202f}×\u{202f}10' .. exponent .. after
  return el
end

local function span(el)
  if el.classes:includes 'aside' and typst then
    local content = pandoc.List {pandoc.RawInline('typst', '#aside[')}
    content:extend(el.content)
    content:insert(pandoc.RawInline('typst', ']'))
    return content
  end
end

-- A link to a chapter's source leads to its page, on paper and in
-- the EPUB to its label.
local function link(el)
  local term = el.classes:includes 'term' and
    terms[el.target:match '#term%-(.*)$']
  if term then
    el.target, el.attributes['data-title'] = term.href, term.title
    return el
  end
  local file, anchor = el.target:match '^([^:#]+)%.qmd(#?.*)$'
  if not file then return nil end
  if html and not epub then
    el.target = file .. '.html' .. anchor
    return el
  end
  if anchor == '' then return el.content end
  el.target = anchor
  return el
end

-- On paper a picture is described to those who cannot see it.
local function picture(el)
  if not typst then return nil end
  local alt = el.attributes.alt or stringify(el.caption)
  return pandoc.RawInline('typst', string.format('#image(%s, alt: %s)',
    quoted(el.src), quoted(alt)))
end

-- The file name above program text.
local function code(el)
  local filename = el.attributes.filename
  if not filename then return nil end
  el.attributes.filename = nil
  if typst then
    return {raw(string.format('#filename(%s)', quoted(filename))), el}
  end
  local name = pandoc.Inlines {pandoc.Code(filename)}
  if modules then
    name = pandoc.Inlines {pandoc.Link(name, modules .. filename .. '.html')}
  end
  return pandoc.Div({
    pandoc.Div({pandoc.Plain(name)}, {class = 'filename'}),
    el,
  }, {class = 'code-with-filename'})
end

-- On paper the solutions stand in an appendix, each with its exercise's name.
-- A chapter leaves them at its end, below a line that press/pdf.py finds.
local function solutions_apart(doc)
  if not typst and not epub then return nil end
  local solutions, last, title = pandoc.List(), nil, nil
  doc.blocks = doc.blocks:walk {traverse = 'topdown', Div = function(el)
    if el.identifier:match '^exr%-' and labels[el.identifier] then
      last = el.identifier
      title = el.content[1] and el.content[1].t == 'Header'
        and el.content[1].content:clone() or nil
    elseif el.classes:includes 'solution' and last then
      if epub then
        if #solutions == 0 then
          solutions:insert(pandoc.Header(2, 'Solutions',
            {class = 'not-counted'}))
        end
        solutions:insert(pandoc.Para {pandoc.Strong {pandoc.Link(
          exercise_head(labels[last], title), '#' .. last)}})
        solutions:extend(el.content)
        return {}
      end
      solutions:insert(around('#solution([',
        exercise_head(labels[last], title),
        string.format('], %s)[', quoted(last))))
      solutions:extend(el.content)
      solutions:insert(raw ']')
      return {}
    end
  end}
  doc.blocks = doc.blocks:walk {Div = function(el)
    if el.classes:includes 'solutions' then
      return epub and solutions or raw '// press: solutions here'
    end
  end}
  if typst and #solutions > 0 then
    doc.blocks:insert(raw '// press: solutions')
    doc.blocks:extend(solutions)
  end
  return doc
end

-- ----------------------------------------------------- code annotations
--
-- Lines of a cell end in a mark, and the list below the cell speaks of
-- them. On a page the marks and the list's numbers lead to each other.

local annotated_count = 0
local circled = {'①', '②', '③', '④', '⑤', '⑥', '⑦', '⑧', '⑨', '⑩'}

-- The code that a cell shows, and the line of each mark in it.
local function marked_code(el)
  local found, lines
  if el.t ~= 'Div' or not el.classes:includes 'cell' then return nil end
  for _, block in ipairs(el.content) do
    if block.t == 'CodeBlock' and block.classes:includes 'cell-code' then
      local number = 0
      for line in (block.text .. '\n'):gmatch '(.-)\n' do
        number = number + 1
        local mark = line:match '# (\xE2\x91[\xA0-\xA9])$'
        if mark then
          lines = lines or {}
          lines[mark] = lines[mark] or number
          found = block
        end
      end
    end
  end
  return found, lines
end

local function annotations(list, lines, name)
  for i, mark in ipairs(circled) do
    if lines[mark] and not list.content[i] then
      error('no item ' .. i .. ' speaks of the line marked # <' .. i .. '>')
    end
  end
  for i in ipairs(list.content) do
    if not lines[circled[i]] then
      error('no line is marked # <' .. i .. '>')
    end
  end
  if typst then
    return pandoc.Blocks {raw '#annotations[', list, raw ']'}
  end
  for i, item in ipairs(list.content) do
    local mark = circled[i]
    local number = pandoc.Span({pandoc.Str(mark)}, {class = 'annotation'})
    if html and not epub then
      number = pandoc.Link({pandoc.Str(mark)},
        string.format('#%s-%d', name, lines[mark]), '', {
          id = string.format('%s-note-%d', name, i), class = 'annotation',
          ['aria-label'] = string.format('Line %d', lines[mark])})
    end
    item[1].content:insert(1, pandoc.Space())
    item[1].content:insert(1, number)
  end
  return pandoc.Blocks {pandoc.Div({list}, {class = 'annotations'})}
end

local function annotated(blocks)
  if not html and not typst then return nil end
  local result = pandoc.Blocks {}
  local i = 1
  while i <= #blocks do
    local code, lines = marked_code(blocks[i])
    result:insert(blocks[i])
    if code then
      if not blocks[i + 1] or blocks[i + 1].t ~= 'OrderedList' then
        error('lines marked # <1> need a numbered list below their cell')
      end
      annotated_count = annotated_count + 1
      local name = 'annotated-' .. annotated_count
      if html and not epub then
        result[#result] = blocks[i]:walk {CodeBlock = function(block)
          if block.text ~= code.text then return nil end
          block.identifier = name
          return block
        end}
      end
      result:extend(annotations(blocks[i + 1], lines, name))
      i = i + 1
    end
    i = i + 1
  end
  return result
end

-- A line alone between a heading and a cell would leave both at the foot of
-- a page, were the cell to go to the next.
local function kept(blocks)
  for i = 1, #blocks - 2 do
    local head, line, cell = blocks[i], blocks[i + 1], blocks[i + 2]
    if head.t == 'Header' and line.t == 'Para' and cell.t == 'Div'
      and cell.classes:includes 'cell' and #stringify(line) < 90 then
      blocks[i + 1] = around('#kept[', line.content, ']')
    end
  end
  return blocks
end

-- A heading that only one of the two readers sees would shift all numbers.
local function counted()
  if heading_count ~= #numbers then
    error(string.format(
      'pandoc sees %d headings, press %d: write each as "## Title" between '
      .. 'blank lines, outside quotes, lists and content-visible',
      heading_count, #numbers))
  end
end

return {
  {Meta = read_metadata},
  {Pandoc = gather_math},
  {Pandoc = titles_apart},
  {Pandoc = further},
  {Pandoc = solutions_apart},
  {Cite = reference},
  {Blocks = function(blocks)
    blocks = annotated(blocks) or blocks
    return typst and kept(blocks) or blocks
  end},
  {traverse = 'topdown', Div = div},
  {Header = heading, Figure = figure, Table = tabled, Para = equations,
   Span = span, Link = link, CodeBlock = code, Image = picture,
   Str = scientific},
  {Math = spoken},
  {Pandoc = counted},
}
