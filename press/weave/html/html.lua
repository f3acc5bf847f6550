-- How a page shows things.

local blocks = ...

-- Widths are found where the table is set: no word is too long for them.
local function tabled(el, has_widths)
  if has_widths then el.classes:insert 'wide' end
  return el
end

-- A reference tells its title to who points at it.
local function reference(el, label)
  if label.title ~= '' then el.attributes['data-title'] = label.title end
  return el
end

-- --------------------------------------------------------------- quizzes

local function right_or_wrong(item, name, next_option)
  local content = item[1].content
  local right = content[1].text == '☒'
  content:remove(1)
  return {
    pandoc.RawBlock('html', string.format(
      '<label class="option %s"><input type="radio" name="%s" value="%s">',
      right and 'right' or 'wrong', name,
      next_option())),
    pandoc.Plain {pandoc.Span(content)},
    pandoc.RawBlock('html', '</label>'),
  }
end

local function quiz(el, key, options)
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
        result:extend(right_or_wrong(item, name, next_option))
      end
    else
      result:insert(block)
    end
  end
  result:insert(pandoc.RawBlock('html', '</fieldset>'))
  return result
end

-- ------------------------------------------------------------- exercises

-- On screen the solutions stand at their exercises; the appendix leads there.
local function exercises_listed()
  local found = pandoc.List()
  for id, label in pairs(blocks.labels) do
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

-- ----------------------------------------------------- code annotations

-- The marks in the code, which pages.py makes links, need its name.
local function marked(cell, code, name)
  return cell:walk {CodeBlock = function(block)
    if block.text ~= code.text then return nil end
    block.identifier = name
    return block
  end}
end

local function annotations(list, lines, name)
  return blocks.annotations(list, function(i, mark)
    return pandoc.Link({pandoc.Str(mark)},
      string.format('#%s-%d', name, lines[i]), '', {
        id = string.format('%s-note-%d', name, i), class = 'annotation',
        ['aria-label'] = string.format('Line %d', lines[i])})
  end)
end

local function link(el, file, anchor)
  el.target = file .. '.html' .. anchor
  return el
end

return {
  names = {html = true},
  heading = blocks.heading,
  caption_label = blocks.caption_label,
  table = tabled,
  reference = reference,
  equation = blocks.equation,
  exercise = blocks.exercise,
  exercises_listed = exercises_listed,
  solution = blocks.solution,
  quiz = quiz,
  callout = blocks.callout,
  folded = blocks.folded,
  code = blocks.code,
  closed = blocks.closed,
  marked = marked,
  annotations = annotations,
  link = link,
}
