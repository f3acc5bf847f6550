-- Mathematics in the printed book.

local _, quoted = ...

-- A formula as Typst writes it: no space between a function's name and its
-- parenthesis, and a bar that is not a relation, as in TeX.
local function adjusted(source)
  return (source:gsub('" \\%(', '"\\(')
    :gsub('\\|', 'class("normal", \\|)'))
end

-- All of it is written at once, since each writing has a cost of its own.
local mathematics = {}

local function gather(doc)
  local found, formulas = pandoc.List(), pandoc.List()
  local mark = '// the next formula'
  doc:walk {Math = function(math)
    local key = math.mathtype .. math.text
    if not mathematics[key] then
      mathematics[key] = true
      found:insert(key)
      formulas:insert(pandoc.RawBlock('typst', mark))
      formulas:insert(pandoc.Plain {math})
    end
  end}
  local text = pandoc.write(
    pandoc.Pandoc(formulas), 'typst', {wrap_text = 'none'})
  local start = 1
  for _, key in ipairs(found) do
    local _, from = text:find(mark, start, true)
    start = text:find(mark, from, true) or #text + 1
    mathematics[key] = text:sub(from + 1, start - 1):match '^%s*(.-)%s*$'
  end
end

local function written(math)
  local doc = pandoc.Pandoc {pandoc.Plain {math}}
  return (pandoc.write(doc, 'typst'):gsub('%s+$', ''))
end

local function set_math(math)
  return adjusted(mathematics[math.mathtype .. math.text] or written(math))
end

-- An equation carries its source, to be read aloud.
local function source(math) return quoted((math.text:gsub('%s+', ' '))) end

local function equation(math, id, label)
  return pandoc.RawBlock('typst', string.format(
    '#math.equation(block: true, alt: %s, numbering: (..) => "(%s)", ' ..
    '%s.body) <%s>', source(math), label.number, set_math(math), id))
end

local function formula(math)
  return pandoc.RawInline('typst', string.format(
    '#math.equation(block: %s, alt: %s, %s.body)',
    math.mathtype == 'DisplayMath' and 'true' or 'false',
    source(math), set_math(math)))
end

return {gather = gather, equation = equation, formula = formula}
