-- A writer: each paragraph, which begins with a mark and its number, as plain
-- words. What is read of them is one JSON object, from number to words.
-- epub.lua takes from here how a formula reads.

local mark = '^\u{e000}(%d+)$'

-- What TeX says that no row of letters can.
local function spelled(tex)
  tex = tex:gsub('\\[dt]?frac%s*(%b{})%s*(%b{})', '%1/%2')
    :gsub('\\sqrt%s*(%b{})', '√%1'):gsub('\\left%f[%A]', '')
    :gsub('\\right%f[%A]', ''):gsub('\\[,;:! ]', ' ')
  return (tex:gsub('\\(%a+)', '%1'):gsub('[\\{}]', ''))
end

local function plain_math(math)
  local text = pandoc.write(pandoc.Pandoc {pandoc.Plain {
    pandoc.Math('InlineMath', math.text)}}, 'plain', {wrap_text = 'none'})
  text = text:match '^%s*(.-)%s*$'
  return pandoc.Str(text:match '^%$' and spelled(math.text) or text)
end

local function contents(el) return el.content end

local words = {
  Math = plain_math,
  Note = function() return {} end,
  Strikeout = contents,
  Image = function(el) return el.caption end,
  Code = function(el) return pandoc.Str(el.text) end,
  RawInline = function() return {} end,
  Span = function(el)
    if el.classes:includes 'aside' then return {} end
  end,
  -- References are plain.py's. A work cited in parentheses is no word of the
  -- sentence.
  Cite = function(el)
    local names = pandoc.List()
    for _, one in ipairs(el.citations) do
      if one.id:match '^%l+%-' or one.mode == 'AuthorInText' then
        names:insert(
          (one.mode == 'SuppressAuthor' and '-@' or '@') .. one.id)
      end
    end
    return pandoc.Str(table.concat(names, ', '))
  end,
}

function Writer(doc)
  local result, number = {}, nil
  for _, block in ipairs(doc.blocks) do
    local content = block.content
    local first = (block.t == 'Para' or block.t == 'Plain') and content[1]
    local found = first and first.t == 'Str' and first.text:match(mark)
    if found then
      number, result[found] = found, pandoc.List()
      content:remove(1)
    end
    result[number]:insert(pandoc.write(pandoc.Pandoc {block:walk(words)},
      'plain', {wrap_text = 'none'}))
  end
  for key, parts in pairs(result) do
    result[key] = table.concat(parts, ' ')
  end
  return pandoc.json.encode(result)
end

return words
