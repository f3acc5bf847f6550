-- What our chapters say beyond Quarto's dialect. Quarto and press both run
-- this filter; what Quarto does by itself is common.lua's, for press alone.

local html = FORMAT:match 'html' ~= nil
local typst = FORMAT:match 'typst' ~= nil
local epub = FORMAT:match 'epub' ~= nil

local function class_of(el, names)
  for _, name in ipairs(names) do
    if el.classes:includes(name) then return name end
  end
end

local function raw(code)
  return pandoc.RawBlock('typst', code)
end

-- Where the root of the book is, Quarto and pandoc say in different ways.

local function root_folders()
  local folders = pandoc.List()
  if quarto and quarto.project then
    folders:insert(quarto.project.directory)
  end
  folders:insert(os.getenv 'QUARTO_PROJECT_DIR')
  folders:insert(pandoc.path.join {
    pandoc.path.directory(PANDOC_SCRIPT_FILE), '..', '..'})
  folders:extend {'.', '..'}
  return folders
end

local function read_file(...)
  for _, folder in ipairs(root_folders()) do
    local file = io.open(pandoc.path.join {folder, ...})
    if file then
      local text = file:read 'a'
      file:close()
      return text
    end
  end
  error(pandoc.path.join {...} .. ' is not found')
end

-- What all languages know. press tells it with what else it has to say,
-- Quarto finds it in the book: press/weave/shared.schema.json.
local shared, roles, explained = nil, {}, false

local function read_shared(meta)
  if meta.press then
    local file = assert(io.open(pandoc.utils.stringify(meta.press)))
    shared = pandoc.json.decode(file:read 'a', false).shared
    file:close()
  else
    shared = pandoc.json.decode(read_file('book', 'shared.json'), false)
  end
  for role in pairs(shared.palette.light) do roles[#roles + 1] = role end
  table.sort(roles)
  explained = shared.explained ~= ''
end

local function paint(role)
  return string.format('rgb("%s")', shared.palette.light[role])
end

local function colored(el)
  local role = typst and class_of(el, roles)
  if role then
    local open = string.format('#text(fill: %s)[', paint(role))
    el.content:insert(1, pandoc.RawInline('typst', open))
    el.content:insert(pandoc.RawInline('typst', ']'))
    return el.content
  end
end

-- Terms. `[ulp]{.term}` introduces one, `[ulps]{.index entry="ulp"}` treats
-- it again: both lead to the glossary, and on paper to the index.

local function key_of(el)
  local words = pandoc.utils.stringify(el.content)
  return el.attributes.entry or shared.terms[words]
    or error('no entry is known for ' .. words .. '; run make tangle')
end

local function inline(code) return pandoc.RawInline('typst', code) end

local function marked(el)
  if not html and not typst and not epub then return el.content end
  local key, content = key_of(el), colored(el) or el.content
  local introduces = el.classes:includes 'term'
  local target = (html and '/' .. shared.glossary or '') .. '#term-' .. key
  if not typst then
    local classes = el.classes:filter(function(c) return c ~= 'index' end)
    if not introduces then classes:insert 'term' end
    return pandoc.Link(content, target, '', {class = table.concat(
      classes, ' ')})
  end
  local link = pandoc.List {
    inline(string.format('#link(<term-%s>)[', key)), table.unpack(content)}
  -- Behind the word: before it, it might stay on the page before.
  link:insert(inline(string.format('#metadata((key: "%s", ' ..
    'introduces: %s))<index-place>]', key, tostring(introduces))))
  if introduces then
    link:insert(1, inline(string.format('#underline(offset: 2.4pt, ' ..
      'stroke: (paint: %s, thickness: 0.5pt, dash: "dotted"))[',
      paint 'muted')))
    link:insert(inline ']')
  end
  return link
end

function Span(el)
  if class_of(el, {'term', 'index'}) then return marked(el) end
  return colored(el)
end

-- The opening chapter and its sections bear no number, and to Quarto a
-- reference to them leads nowhere. It reads as press has it: "Chapter 0".

local function opened(el)
  if not quarto or #el.citations > 1 then return nil end
  local citation = el.citations[1]
  local reads = shared.opening[citation.id]
  if not reads then return nil end
  if citation.mode == 'SuppressAuthor' then reads = reads:gsub('^.*\u{a0}', '') end
  return pandoc.Link({pandoc.Str(reads)},
    (html and '/index.qmd' or '') .. '#' .. citation.id)
end

-- The glossary: `[ulp]{#term-ulp .entry} The gap …`, a paragraph each;
-- `also="…"` is another name, which the index refers to this one.

local function entry_of(block)
  local first = block.content and block.content[1]
  if first and first.t == 'Span' and first.classes:includes 'entry' then
    local rest = pandoc.List(block.content):clone()
    rest:remove(1)
    local gap = rest[1] and rest[1].t
    if gap == 'Space' or gap == 'SoftBreak' then
      rest:remove(1)
    end
    return first, rest
  end
end

local function glossary_of(el)
  local items, blocks = pandoc.List(), pandoc.List()
  for _, block in ipairs(el.content) do
    local name, rest = entry_of(block)
    if not name then
      blocks:insert(block)
    elseif html or epub then
      name.attributes.also = nil
      items:insert {{name}, {{pandoc.Para(rest)}}}
    elseif typst then
      local key = name.identifier:gsub('^term%-', '')
      local entry = pandoc.List {
        inline(string.format('#metadata((key: "%s", name: [', key))}
      entry:extend(name.content)
      entry:extend {inline(string.format('], also: "%s"))<index-entry>' ..
        '#metadata(none)<term-%s>', name.attributes.also or '', key)),
        pandoc.Strong(name.content), pandoc.Space()}
      blocks:insert(pandoc.Para(entry .. rest))
    else
      blocks:insert(pandoc.Para(
        pandoc.List {pandoc.Strong(name.content), pandoc.Space()} .. rest))
    end
  end
  if #items > 0 then blocks:insert(pandoc.DefinitionList(items)) end
  if typst then
    blocks:insert(1, raw '#[#set par(hanging-indent: 1.4em)')
    blocks:insert(raw ']')
    return blocks
  end
  el.content = blocks
  return el
end

-- The mark beside an output: exact, close or machine.

-- Every mark leads to the section that explains it, where there is one.
-- In HTML a mark opens and says what it means.
local function opening(class, title)
  local words = pandoc.Inlines {pandoc.Str(title)}
  if explained then
    local section = shared.explained
    words:extend {pandoc.Space(), pandoc.Str 'See', pandoc.Space(),
      pandoc.Cite({pandoc.Str('@' .. section)},
        {pandoc.Citation(section, 'AuthorInText')}), pandoc.Str '.'}
  end
  return pandoc.Blocks {
    pandoc.RawBlock('html', string.format(
      '<details class="mark mark-%s" name="mark">' ..
      '<summary aria-label="%s: what this mark means">' ..
      '<span class="sign" aria-hidden="true">%s</span> %s</summary>',
      class, class, shared.marks[class].sign, class)),
    pandoc.Para(words),
    pandoc.RawBlock('html', '</details>'),
  }
end

local function mark(class, tolerance, columns)
  local title, sign = shared.marks[class].means, shared.marks[class].sign
  if tolerance then
    title = title .. ' Tolerance: ' .. tolerance .. '.'
  end
  if typst then
    -- In the first line where that leaves room, else above it; below a
    -- picture or a table. A string:
    -- as markup "= exact" would be a heading.
    local text = string.format('text(size: 6.5pt, fill: %s, ' ..
      'font: "DejaVu Sans Mono", "%s %s")', paint 'muted', sign, class)
    if explained then
      text = string.format('link(<%s>, %s)', shared.explained, text)
    end
    if columns > 61 then
      return raw('#block(above: 0pt, below: 4pt, width: 100%, ' ..
        'sticky: true, align(right, ' .. text .. '))')
    end
    return raw('#place(right + top, dy: 0.6pt, ' .. text .. ')')
  end
  if html then return opening(class, title) end
  local text = {pandoc.Str(sign .. ' ' .. class)}
  local attributes = {class = 'mark mark-' .. class, title = title}
  return pandoc.Plain {epub and explained
    and pandoc.Link(text, '#' .. shared.explained, '', attributes)
    or pandoc.Span(text, attributes)}
end

local function is_output(el)
  return el.t == 'Div' and el.classes:includes 'cell-output'
end

-- How far the first line of an output reaches; none where it is a picture.
local function first_line(output)
  local block = output.content[1]
  if block and block.t == 'CodeBlock' then
    return utf8.len(block.text:match '^[^\n]*')
  end
end

local function with_mark(el)
  local class = el.attributes.reproduce
  if not class or not shared.marks[class] then return nil end
  for _, block in ipairs(el.content) do
    if is_output(block) then
      local columns = first_line(block)
      local place = typst and not columns and #block.content + 1 or 1
      local found = mark(class, el.attributes.tolerance, columns or 72)
      if pandoc.utils.type(found) ~= 'Blocks' then found = {found} end
      for offset, part in ipairs(found) do
        block.content:insert(place + offset - 1, part)
      end
      return el
    end
  end
end

-- Quiz and claim.

local function without_reasons(blocks)
  return blocks:walk {
    Span = function(el)
      if el.classes:includes 'why' then return {} end
    end,
    Str = function(el)
      if el.text == '☒' then return pandoc.Str '☐' end
    end,
  }
end

-- An option, then why: what is no sentence gets a full stop between.
local function ended(content)
  for i, inline in ipairs(content) do
    if inline.t == 'Span' and inline.classes:includes 'why' then
      local last = i > 1 and content[i - 1].t == 'Space' and i - 2 or i - 1
      local before = pandoc.Inlines {table.unpack(content, 1, last)}
      local code = content[last] and content[last].t == 'Code'
      local words = pandoc.utils.stringify(before):gsub('”$', '')
      if code or not words:match '[.!?:]$' then
        content:insert(last + 1, pandoc.Str '.')
      end
      return content
    end
  end
  return content
end

local function only_right(blocks)
  local result = pandoc.List()
  blocks:walk {BulletList = function(list)
    for _, item in ipairs(list.content) do
      local text = pandoc.utils.stringify(item[1])
      if text:match '^☒' then
        local content = item[1].content:clone()
        content:remove(1)
        if content[1] and content[1].t == 'Space' then content:remove(1) end
        result:insert(pandoc.Plain(ended(content)))
      end
    end
  end}
  return result
end

function Div(el)
  if el.classes:includes 'cell' then return with_mark(el) end
  if el.classes:includes 'glossary' then return glossary_of(el) end
  if el.classes:includes 'claim' then
    local label = pandoc.Strong {pandoc.Str 'Often said.', pandoc.Space()}
    local first = el.content[1]
    if first and first.content then
      first.content:insert(1, pandoc.Span({label}, {class = 'claim-label'}))
    end
    if typst then
      return pandoc.List {raw(string.format(
        '#block(above: 1.5em, below: 1.5em, width: 100%%, ' ..
        'breakable: false, inset: (left: 11pt, y: 3pt), stroke: (left: 1.6pt + %s))[',
        paint 'backward'))} .. el.content .. {raw ']'}
    end
    return el
  end
  if el.classes:includes 'lede' and typst then
    return pandoc.List {raw '#block(below: 1.6em)[#set text(size: 1.14em)'}
      .. el.content .. {raw ']'}
  end
end

-- On paper the answers to the quizzes stand in an appendix. A chapter that
-- is set alone leaves them at its end, below a line that the press finds.

local function answers_apart(doc)
  if not typst and not epub then return nil end
  local answers, chapter, count = pandoc.List(), nil, 0
  local blocks = doc.blocks:walk {
    traverse = 'topdown',
    Header = function(el)
      if el.level == 1 then
        chapter, count = el.content:clone(), 0
      end
    end,
    Div = function(el)
      if not el.classes:includes 'quiz' then return nil end
      count = count + 1
      if count == 1 then
        answers:insert(pandoc.Header(2, chapter, {class = 'unnumbered'}))
      end
      local right = only_right(el.content)
      local number = pandoc.Strong {pandoc.Str(count .. '.')}
      if right[1] then
        answers:insert(pandoc.Para(
          pandoc.List {number, pandoc.Space()} .. right[1].content))
      end
      el.content = without_reasons(el.content)
      local first = el.content[1]
      if first and first.content then
        first.content:insert(1, pandoc.Space())
        first.content:insert(1, number)
      end
      return el, false
    end,
  }
  local alone = typst
  doc.blocks = blocks:walk {Div = function(el)
    if el.classes:includes 'answers' then
      alone = false
      el.content = #answers > 0 and answers
        or pandoc.List {raw '// press: answers here'}
      return el
    end
  end}
  if alone and #answers > 0 then
    doc.blocks:insert(raw '// press: answers')
    doc.blocks:insert(pandoc.Div(answers, {class = 'answers'}))
  end
  return doc
end

return {{Meta = read_shared}, {Pandoc = answers_apart},
  {Span = Span, Div = Div, Cite = opened}}
