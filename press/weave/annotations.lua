-- Code annotations. Lines of a cell end in a mark, and the list below the
-- cell speaks of them. On a page the marks and the list's numbers lead to
-- each other. That each speaks of the other, press/check/options.py has seen.

local blocks, format = ...

-- The number of the sign that a line ends in, if it does.
local function number_of(line)
  local sign = line:match '# (%S+)$'
  for i, mark in ipairs(blocks.shared.circled) do
    if mark == sign then return i end
  end
end

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
        local mark = number_of(line)
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

local function annotated(given)
  local result = pandoc.Blocks {}
  local i = 1
  while i <= #given do
    local shown, lines = marked_code(given[i])
    result:insert(given[i])
    if shown and given[i + 1] and given[i + 1].t == 'OrderedList' then
      annotated_count = annotated_count + 1
      local id = 'annotated-' .. annotated_count
      if format.marked then
        result[#result] = format.marked(given[i], shown, id)
      end
      result:extend(format.annotations(given[i + 1], lines, id))
      i = i + 1
    end
    i = i + 1
  end
  return result
end

return annotated
