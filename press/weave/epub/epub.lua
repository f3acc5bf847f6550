-- How a reader of EPUBs shows things. Quizzes stay lists to tick.

local blocks = ...
local plain = blocks.load '../read/plain.lua'

-- Of the headings its contents and titles are made, as plain text.
local function heading(el, number)
  el.content = el.content:walk {Math = plain.Math}
  return blocks.heading(el, number)
end

-- Where pandoc splits an EPUB it knows the ids of divs, not of figures.
local function figure(el)
  local id = el.identifier
  if id == '' then return el end
  el.identifier = ''
  return pandoc.Div({el}, pandoc.Attr(id))
end

-- The solutions stand in an appendix, each with its exercise's name.
local function solutions(doc)
  local apart = blocks.without_solutions(doc, function(head, id, content)
    local result = pandoc.List {pandoc.Para {pandoc.Strong {
      pandoc.Link(head, '#' .. id)}}}
    result:extend(content)
    return result
  end)
  if #apart > 0 then
    apart:insert(1, pandoc.Header(2, 'Solutions'))
  end
  blocks.solutions_here(doc, apart)
  return doc
end

local function annotations(list)
  return blocks.annotations(list, function(_, mark)
    return pandoc.Span({pandoc.Str(mark)}, {class = 'annotation'})
  end)
end

return {
  names = {},
  heading = heading,
  caption_label = blocks.caption_label,
  figure = figure,
  equation = blocks.equation,
  exercise = blocks.exercise,
  solution = blocks.solution,
  solutions = solutions,
  callout = blocks.callout,
  folded = blocks.folded,
  code = blocks.code,
  closed = blocks.closed,
  annotations = annotations,
  link = blocks.link,
}
