-- Write down the words of a document as the last filter leaves it, a line for
-- each block, into the file that `said` names: printed.py looks at them. Code,
-- formulas and raw markup are no words.

local hidden = '\u{e000}'

local function words(inlines)
  inlines = pandoc.Inlines(inlines):walk {
    Code = function() return pandoc.Str(hidden) end,
    Math = function() return pandoc.Str(hidden) end,
    RawInline = function() return pandoc.Str(hidden) end,
    Note = function() return pandoc.Str(hidden) end,
  }
  return (pandoc.utils.stringify(inlines):gsub('%s+', ' '))
end

function Pandoc(doc)
  local lines = pandoc.List()
  doc.blocks:walk {
    Plain = function(el) lines:insert(words(el.content)) end,
    Para = function(el) lines:insert(words(el.content)) end,
    Header = function(el) lines:insert(words(el.content)) end,
    LineBlock = function(el)
      for _, line in ipairs(el.content) do lines:insert(words(line)) end
    end,
    DefinitionList = function(el)
      for _, item in ipairs(el.content) do lines:insert(words(item[1])) end
    end,
  }
  local file = assert(io.open(pandoc.utils.stringify(doc.meta.said), 'w'))
  file:write(table.concat(lines, '\n'), '\n')
  file:close()
end
