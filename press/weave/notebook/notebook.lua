-- How a notebook shows things, which words.lua then strips of what no
-- notebook can show.

local blocks = ...

local function solution(el)
  el.content:insert(1, pandoc.Para {pandoc.Strong 'Solution'})
  return el
end

-- The right answer is folded away below the options.
local function quiz(el)
  local answer = pandoc.List()
  el.content:walk {BulletList = function(list)
    for _, item in ipairs(list.content) do
      if blocks.stringify(item[1]):match '^☒' then
        local content = item[1].content:clone()
        content:remove(1)
        answer:insert(pandoc.Para(content))
      end
    end
  end}
  local result = el.content:walk {
    BulletList = blocks.unticked,
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

return {
  names = {},
  caption_label = blocks.caption_label,
  equation = blocks.equation,
  exercise = blocks.exercise,
  solution = solution,
  quiz = quiz,
  callout = blocks.callout,
  code = blocks.code,
  link = blocks.link,
}
