-- Code annotations. Lines of a cell end in a mark, and the list below the
-- cell speaks of them. On a page the marks and the list's numbers lead to
-- each other.

local blocks, format = ...
local circled = blocks.circled

local annotated_count = 0

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

local function annotations(list, lines, id)
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
  return format.annotations(list, lines, id)
end

local function annotated(given)
  local result = pandoc.Blocks {}
  local i = 1
  while i <= #given do
    local shown, lines = marked_code(given[i])
    result:insert(given[i])
    if shown then
      if not given[i + 1] or given[i + 1].t ~= 'OrderedList' then
        error('lines marked # <1> need a numbered list below their cell')
      end
      annotated_count = annotated_count + 1
      local id = 'annotated-' .. annotated_count
      if format.marked then
        result[#result] = format.marked(given[i], shown, id)
      end
      result:extend(annotations(given[i + 1], lines, id))
      i = i + 1
    end
    i = i + 1
  end
  return result
end

return annotated
