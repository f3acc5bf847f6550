-- What Quarto does by itself, done for press: numbers, references, captions,
-- exercises, callouts, margin notes, file names above code.
--
-- Here is what all formats share: what is read, counted and found, and in
-- which order. How things are shown is said by the format's own file, a table
-- of functions that each lay out one thing; a thing without a function stays
-- as pandoc has it.
--
-- Metadata `press`: labels (id to reference, number, href), numbers (of the
-- headings, in order), all made by press/read/labels.py.

local here = pandoc.path.directory(PANDOC_SCRIPT_FILE)
local blocks = dofile(pandoc.path.join {here, 'blocks.lua'})
local stringify = blocks.stringify

local name = FORMAT:match 'epub' or FORMAT:match 'html'
  or FORMAT:match 'typst' or 'notebook'
local format = blocks.load(name .. '/' .. name .. '.lua')
local annotated = blocks.load('annotations.lua', format)

-- What the format makes of a thing, if it says so.
local function laid(thing, ...)
  if format[thing] then return format[thing](...) end
end

local function read_metadata(meta)
  local file = assert(io.open(stringify(meta.press)))
  local data = pandoc.json.decode(file:read 'a', false)
  file:close()
  blocks.labels, blocks.numbers = data.labels, pandoc.List(data.numbers)
  blocks.modules, blocks.terms = data.modules, data.terms or {}
  blocks.pictures, blocks.shared = data.pictures, data.shared
end

-- ------------------------------------------------------------- headings

local function heading(el)
  local number = el.attributes['counted']
  el.attributes['counted'] = nil
  if not number then return laid('title', el) or el end
  return laid('heading', el, number)
end

-- What a format leaves out is gone before anything else is asked of it.
local function visible(el)
  local wanted, hidden = 'when-format', 'unless-format'
  if el.classes:includes 'content-hidden' then
    wanted, hidden = hidden, wanted
  elseif not el.classes:includes 'content-visible' then
    return nil
  end
  wanted, hidden = el.attributes[wanted], el.attributes[hidden]
  if (wanted and not format.names[wanted])
    or (hidden and format.names[hidden]) then
    return {}
  end
  return el.content
end

-- Headings inside exercises and callouts are titles, not sections.
local function titles_apart(doc)
  doc.blocks = doc.blocks:walk {Div = function(el)
    local id = el.identifier
    local answers = el.classes:includes 'answers'
    local callout = el.classes:find_if(function(c)
      return c:match '^callout' end)
    if id:match '^exr%-' or el.classes:includes 'solution' or callout
      or answers then
      el.content = el.content:walk {Header = function(h)
        h.attributes['counted'] = 'not'
        if answers then laid('answers_title', h) end
        return h
      end}
      return el
    end
  end}
  return doc
end

-- Each section gets its number before a format leaves any out. A heading
-- that only one of the two readers sees would shift all numbers.
local function counted(doc)
  local count = 0
  doc.blocks = doc.blocks:walk {Header = function(h)
    if h.attributes['counted'] then
      h.attributes['counted'] = nil
    else
      count = count + 1
      h.attributes['counted'] = blocks.numbers[count] or ''
    end
    return h
  end}
  if count ~= #blocks.numbers then
    error(string.format(
      'pandoc sees %d headings, press %d: write each as "## Title" between '
      .. 'blank lines, outside quotes and lists',
      count, #blocks.numbers))
  end
  return doc
end

-- ------------------------------------------------ references and captions

local function reference(el)
  if #el.citations ~= 1 then
    for _, citation in ipairs(el.citations) do
      if blocks.labels[citation.id] then
        error('write one reference at a time: @' .. citation.id)
      end
    end
    return laid('work_cited', el)
  end
  local citation = el.citations[1]
  local label = blocks.labels[citation.id]
  if not label then return laid('work_cited', el) end
  local text = label.reference
  if citation.mode == 'SuppressAuthor' then text = label.number end
  local made = pandoc.Link({pandoc.Str(text)}, label.href, '',
    {class = 'reference'})
  return laid('reference', made, label) or made
end

-- A link to a term of the glossary, or to the source of a chapter.
local function link(el)
  local term = el.classes:includes 'term' and
    blocks.terms[el.target:match '#term%-(.*)$']
  if term then
    el.target, el.attributes['data-title'] = term.href, term.title
    return el
  end
  local file, anchor = el.target:match '^([^:#]+)%.qmd(#?.*)$'
  if not file then return nil end
  return format.link(el, file, anchor)
end

local function captioned(el)
  local label = blocks.labels[el.identifier]
  if not label then return el end
  local long = el.caption.long
  if #long == 0 then long:insert(pandoc.Plain {}) end
  long[1].content:insert(1, pandoc.Space())
  long[1].content:insert(1,
    format.caption_label {pandoc.Str(label.reference .. ':')})
  el.caption.long = long
  return el
end

-- A picture from a file has another name beside the page.
local function renamed(el)
  el.src = blocks.pictures[el.src] or el.src
  return el
end

local function figure(el)
  el = captioned(el)
  return laid('figure', el) or el
end

local function tabled(el)
  local has_widths = el.colspecs:find_if(function(spec) return spec[2] end)
  el.colspecs = el.colspecs:map(function(spec) return {spec[1]} end)
  el = captioned(el)
  return laid('table', el, has_widths) or el
end

-- ------------------------------------------------- equations and numbers

local function equation(math, id)
  local label = blocks.labels[id]
  if not label then return pandoc.Para {math} end
  return format.equation(math, id, label)
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

-- Outside code a number is written as on paper: 6e-04 as 6 × 10⁻⁴. From
-- 10⁻² up to below 10⁵ it needs no power: 3e-01 is 0.3, and 1e+04 is 10,000.
local high = {['-'] = '⁻', ['0'] = '⁰', ['1'] = '¹', ['2'] = '²', ['3'] = '³',
  ['4'] = '⁴', ['5'] = '⁵', ['6'] = '⁶', ['7'] = '⁷', ['8'] = '⁸', ['9'] = '⁹'}

local function without_power(digits, power)
  local whole, part = digits:match '^(%d+)%.?(%d*)$'
  if not whole then return nil end
  local all, left = whole .. part, #whole + power   -- left of the point
  if left <= 0 then return '0.' .. ('0'):rep(-left) .. all end
  whole = all:sub(1, left) .. ('0'):rep(left - #all)
  if #whole > 3 then
    whole = whole:reverse():gsub('(%d%d%d)', '%1,'):reverse():gsub('^,', '')
  end
  part = all:sub(left + 1)
  return part == '' and whole or whole .. '.' .. part
end

local function scientific(el)
  local before, digits, sign, power, after =
    el.text:match '^([^%w]*)(%d[%d.]*)e([+-]?)0*(%d+)([^%w]*)$'
  if not digits then return nil end
  before = before:gsub('%-$', '−')
  power = tonumber(sign .. power)
  local plain = power >= -2 and power <= 4 and without_power(digits, power)
  if not plain then
    plain = digits .. '\u{202f}×\u{202f}10'
      .. tostring(power):gsub('.', high)
  end
  el.text = before .. plain .. after
  return el
end

-- ------------------------------------------------------------------ divs

local function take_title(el)
  for i, block in ipairs(el.content) do
    if block.t == 'Header' then
      el.content:remove(i)
      return block.content
    end
  end
end

local function exercise(el)
  return format.exercise(el, blocks.exercise_head(
    blocks.labels[el.identifier], take_title(el)))
end

local function quiz(el)
  local key, options = el.attributes.quiz, el.attributes.options
  el.attributes.quiz, el.attributes.options = nil, nil
  return laid('quiz', el, key, options) or el
end

local function callout(el, kind)
  local title = el.attributes.title
  local content = take_title(el)
  local head = content or pandoc.utils.blocks_to_inlines(pandoc.read(
    title or (kind:sub(1, 1):upper() .. kind:sub(2)), 'markdown').blocks)
  local folded = el.attributes.collapse == 'true'
  el.attributes.collapse = nil
  return folded and laid('folded', el, head)
    or format.callout(el, kind, head)
end

function blocks.div(el)
  if format.exercises_listed and el.classes:includes 'solutions' then
    return format.exercises_listed()
  end
  if el.identifier:match '^exr%-' and blocks.labels[el.identifier] then
    return exercise(el)
  end
  if el.classes:includes 'solution' then return laid('solution', el) end
  if el.classes:includes 'quiz' then return quiz(el) end
  for _, kind in ipairs {'note', 'tip', 'warning', 'important', 'caution'} do
    if el.classes:includes('callout-' .. kind) then
      return callout(el, kind)
    end
  end
  return laid('div', el)
end

-- ------------------------------------------------- code and the filters

-- What a fold holds: the words of the author, and how much there is.
local function head_of_fold(el, filename)
  local words = pandoc.utils.blocks_to_inlines(
    pandoc.read(el.attributes['code-summary'], 'markdown').blocks)
  local lines = 1 + select(2, el.text:gsub('\n', ''))
  words:extend {pandoc.Str ',', pandoc.Space(), pandoc.Str(lines ..
    '\u{a0}line' .. (lines > 1 and 's' or ''))}
  if filename then
    words:extend {pandoc.Space(), pandoc.Str 'of', pandoc.Space(),
      pandoc.Code(filename)}
  end
  return words
end

local function code(el)
  local filename = el.attributes.filename
  local folded = el.attributes['code-fold'] and head_of_fold(el, filename)
  for _, name in ipairs {'filename', 'code-fold', 'code-summary'} do
    el.attributes[name] = nil
  end
  local made = filename and format.code(el, filename)
  return folded and laid('closed', made or el, folded) or made or nil
end

return {
  {Meta = read_metadata},
  {Pandoc = format.gather_math},
  {Pandoc = titles_apart},
  {Pandoc = counted},
  {Div = visible},
  {Pandoc = format.further},
  {Pandoc = format.solutions},
  {Cite = reference, Image = renamed},
  {Blocks = function(given)
    if format.annotations then given = annotated(given) end
    return laid('kept', given) or given
  end},
  {traverse = 'topdown', Div = blocks.div},
  {Header = heading, Figure = figure, Table = tabled, Para = equations,
   Span = format.aside, Link = link, CodeBlock = code,
   Image = format.picture, Str = scientific},
  {Math = format.formula},
}
