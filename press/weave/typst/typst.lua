-- How the printed book shows things, by the functions of book.typ.

local blocks = ...
local stringify = blocks.stringify

local function raw(code) return pandoc.RawBlock('typst', code) end

local function quoted(text)
  return '"' .. text:gsub('\\', '\\\\'):gsub('"', '\\"') .. '"'
end

local formulas = blocks.load('typst/math.lua', quoted)

local function around(open, inlines, close)
  local result = pandoc.Inlines {pandoc.RawInline('typst', open)}
  result:extend(inlines)
  result:insert(pandoc.RawInline('typst', close))
  return pandoc.Para(result)
end

-- The walk ends at what a filter returns, so it goes on from here.
local function walked(content)
  return pandoc.Blocks(content):walk {traverse = 'topdown', Div = blocks.div}
end

local function wrapped(open, content, close)
  local result = pandoc.List {type(open) == 'string' and raw(open) or open}
  result:extend(walked(content))
  result:insert(raw(close))
  return result
end

-- ------------------------------------------------------------- headings

local function title(el)
  return around(string.format('#heading(level: %d, outlined: false)[',
    el.level), el.content, ']')
end

local function heading(el, number)
  local numbering = 'none'
  if number ~= '' then
    numbering = string.format('(..) => %s', quoted(number))
  end
  local label = blocks.labels[el.identifier]
    and ' <' .. el.identifier .. '>' or ''
  -- What every chapter has need not be listed for each.
  local listed = el.classes:includes 'recurring'
    and ', outlined: false, bookmarked: true' or ''
  return around(string.format('#heading(level: %d, numbering: %s%s)[',
    el.level, numbering, listed), el.content, ']' .. label)
end

-- Answers stand far from their chapter, so their title has its number.
local function answers_title(el)
  local number = blocks.numbers[1]
  if number ~= '' then
    el.content:insert(1, pandoc.Str(number .. '\u{2002}'))
  end
end

-- The section that says where to read on is set in smaller letters.
local function further(doc)
  local open
  for i, block in ipairs(doc.blocks) do
    local over = open and block.t == 'RawBlock'
      and block.text:match '^// press:'
    if over then
      doc.blocks:insert(i, raw ']')
      return doc
    elseif block.t == 'Header' and block.classes:includes 'further' then
      doc.blocks:insert(i + 1, raw '#further[')
      open = true
    end
  end
  if open then doc.blocks:insert(raw ']') end
  return doc
end

-- A line alone between a heading and a cell would leave both at the foot of
-- a page, were the cell to go to the next.
local function kept(content)
  for i = 1, #content - 2 do
    local head, line, cell = content[i], content[i + 1], content[i + 2]
    if head.t == 'Header' and line.t == 'Para' and cell.t == 'Div'
      and cell.classes:includes 'cell' and #stringify(line) < 90 then
      content[i + 1] = around('#kept[', line.content, ']')
    end
  end
  return content
end

-- ----------------------------------------------- references and captions

-- On paper the works cited are those of the whole book: pdf.py finds out
-- how each citation reads.
local function work_cited(el)
  local mark = pandoc.write(pandoc.Pandoc {pandoc.Plain {el}}, 'markdown',
    {wrap_text = 'none'}):gsub('%s+$', '')
  return pandoc.RawInline('typst', string.format('#cited(%s);', quoted(mark)))
end

local function tabled(el)
  local rows = 0
  for _, body in ipairs(el.bodies) do rows = rows + #body.body end
  return {raw(string.format('#tabular(%d)[', rows)), el, raw ']'}
end

-- A picture is described to those who cannot see it.
local function picture(el)
  local alt = el.attributes.alt or stringify(el.caption)
  return pandoc.RawInline('typst', string.format('#image(%s, alt: %s)',
    quoted(el.src), quoted(alt)))
end

-- ------------------------------------------------ exercises and solutions

local function exercise(el, head)
  return wrapped(
    around('#exercise([', head, string.format('], %s)[',
      quoted(el.identifier))), el.content,
    string.format('] <%s>', el.identifier))
end

-- The solutions stand in an appendix, each with its exercise's name. A
-- chapter leaves them at its end, below a line that pdf.py finds.
local function solutions(doc)
  local apart = blocks.without_solutions(doc, function(head, id, content)
    local result = pandoc.List {
      around('#solution([', head, string.format('], %s)[', quoted(id)))}
    result:extend(content)
    result:insert(raw ']')
    return result
  end)
  blocks.solutions_here(doc, raw '// press: solutions here')
  if #apart > 0 then
    doc.blocks:insert(raw '// press: solutions')
    doc.blocks:extend(apart)
  end
  return doc
end

-- ----------------------------------------------------------------- boxes

-- The template draws the boxes to tick.
local function quiz(el)
  return wrapped('#quiz[',
    el.content:walk {BulletList = blocks.unticked}, ']')
end

local function callout(el, kind, head)
  return wrapped(around(string.format('#callout("%s", [', kind), head,
    '])['), el.content, ']')
end

-- Nothing opens on paper: what is folded on a screen is set smaller.
local function folded(el, head)
  return wrapped(around('#folded([', head, '])['), el.content, ']')
end

-- The front of the book lists the simulations; each leaves there what it
-- shows and the figure that stands for it.
local function simulation(el)
  local id
  el:walk {Figure = function(fig) id = id or fig.identifier end}
  local label = blocks.labels[id]
  if not label then return nil end
  local shows = el.attributes['data-shows']
  return wrapped(string.format('#simulation(%s, %s, %s, %s)',
    quoted(el.attributes['data-sim']), quoted(id),
    quoted(label.reference), shows and quoted(shows) or 'none'),
    el.content, '')
end

local function aside(el)
  if not el.classes:includes 'aside' then return nil end
  local content = pandoc.List {pandoc.RawInline('typst', '#aside[')}
  content:extend(el.content)
  content:insert(pandoc.RawInline('typst', ']'))
  return content
end

-- ------------------------------------------------------ code and output

-- How many lines of code and output a cell has; a picture counts as many.
local function height(el)
  local lines = 0
  el:walk {
    CodeBlock = function(block)
      lines = lines + (block.attributes['code-fold'] and 1
        or 1 + select(2, block.text:gsub('\n', '')))
    end,
    Image = function() lines = lines + 100 end,
    Table = function() lines = lines + 100 end,
  }
  return lines
end

local function has_code(el)
  return el.content:find_if(function(b) return b.t == 'CodeBlock' end) ~= nil
end

local function cell(el)
  local shows = el.content[1] and el.content[1].t == 'CodeBlock'
    and el.content[2] and ', shows: true' or ''
  return wrapped(string.format('#cell(%d%s)[', height(el), shows),
    el.content, ']')
end

local function output(el)
  local open = has_code(el) and string.format('#output(%d)[', height(el))
    or '#display['
  return wrapped(open, el.content, ']')
end

local function code(el, filename)
  return {raw(string.format('#filename(%s)', quoted(filename))), el}
end

-- Paper has no place that opens: it says what is left out.
local function closed(_, head)
  return around('#closed[', head, ']')
end

local function annotations(list)
  return pandoc.Blocks {raw '#annotations[', list, raw ']'}
end

-- --------------------------------------------------------- divs by class

local function div(el)
  local classes = el.classes
  if classes:includes 'sim' then return simulation(el) end
  if classes:includes 'column-margin' then
    return wrapped('#aside-block[', el.content, ']')
  end
  if classes:includes 'program' then
    return wrapped('#program[', el.content, ']')
  end
  if classes:includes 'answers' then return walked(el.content) end
  if classes:includes 'cell' then return cell(el) end
  if classes:includes 'cell-output' then return output(el) end
end

return {
  names = {typst = true, pdf = true},
  gather_math = formulas.gather,
  further = further,
  solutions = solutions,
  title = title,
  heading = heading,
  answers_title = answers_title,
  kept = kept,
  work_cited = work_cited,
  caption_label = pandoc.Strong,
  table = tabled,
  picture = picture,
  equation = formulas.equation,
  formula = formulas.formula,
  exercise = exercise,
  quiz = quiz,
  callout = callout,
  folded = folded,
  aside = aside,
  code = code,
  closed = closed,
  annotations = annotations,
  link = blocks.link,
  div = div,
}
