-- What several formats share. Each format's file gets this table when
-- common.lua loads it, and finds here the state that common.lua reads and
-- helpers; what a screen and a reader show alike is laid out here too.

local blocks = {
  labels = {},              -- id to reference, number, title and href
  numbers = pandoc.List(),  -- of the headings, in order
  modules = nil,            -- where the pages of the program are
  pictures = {},            -- path in the chapter to path on the page
  terms = {},               -- the glossary's, key to href and title
  shared = {},              -- what all languages know: shared.schema.json
}

local here = pandoc.path.directory(PANDOC_SCRIPT_FILE)

-- What a file of the press returns, seen from here, which gets this table.
function blocks.load(file, ...)
  return assert(loadfile(pandoc.path.join {here, file}))(blocks, ...)
end

function blocks.stringify(x) return x and pandoc.utils.stringify(x) end

function blocks.exercise_head(label, title)
  local head = pandoc.List {pandoc.Str(label.reference)}
  if title then
    head:insert(pandoc.Space())
    head:insert(pandoc.Str '(')
    head:extend(title)
    head:insert(pandoc.Str ')')
  end
  return head
end

-- A list to tick as a plain one: paper and notebooks draw their own boxes.
function blocks.unticked(list)
  for _, item in ipairs(list.content) do
    local content = item[1] and item[1].content
    if content and content[1] and
      (content[1].text == '☐' or content[1].text == '☒') then
      content:remove(1)
      if content[1] and content[1].t == 'Space' then content:remove(1) end
    end
  end
  return list
end

-- The document without its solutions, and these, each as `lay` sets it from
-- its head, its exercise's id and its content.
function blocks.without_solutions(doc, lay)
  local solutions, last, title = pandoc.List(), nil, nil
  doc.blocks = doc.blocks:walk {traverse = 'topdown', Div = function(el)
    if el.identifier:match '^exr%-' and blocks.labels[el.identifier] then
      last = el.identifier
      title = el.content[1] and el.content[1].t == 'Header'
        and el.content[1].content:clone() or nil
    elseif el.classes:includes 'solution' and last then
      solutions:extend(lay(
        blocks.exercise_head(blocks.labels[last], title), last, el.content))
      return {}
    end
  end}
  return solutions
end

-- The appendix of answers holds what is given.
function blocks.solutions_here(doc, given)
  doc.blocks = doc.blocks:walk {Div = function(el)
    if el.classes:includes 'solutions' then return given end
  end}
end

-- --------------------------------------- as screens and readers show it

function blocks.heading(el, number)
  if number ~= '' then
    local class = el.level == 1 and 'chapter-number' or 'section-number'
    el.content:insert(1, pandoc.Space())
    el.content:insert(1, pandoc.Span({pandoc.Str(number)}, {class = class}))
  end
  return el
end

function blocks.caption_label(words)
  return pandoc.Span(words, {class = 'caption-label'})
end

function blocks.equation(math, id, label)
  return pandoc.Div({
    pandoc.Plain {math},
    pandoc.Plain {pandoc.Span({pandoc.Str('(' .. label.number .. ')')},
      {class = 'equation-number'})},
  }, pandoc.Attr(id, {'equation'}))
end

function blocks.exercise(el, head)
  el.classes:insert 'exercise'
  el.content:insert(1, pandoc.Para {pandoc.Span({pandoc.Strong(head)},
    {class = 'exercise-title'})})
  return el
end

function blocks.solution(el)
  local result = pandoc.List {pandoc.RawBlock('html',
    '<details class="solution"><summary>Solution</summary>')}
  result:extend(el.content)
  result:insert(pandoc.RawBlock('html', '</details>'))
  return result
end

function blocks.callout(el, kind, head)
  el.attributes.title = nil
  el.content:insert(1, pandoc.Para {pandoc.Span(head,
    {class = 'callout-title'})})
  return el
end

-- A callout that is closed until someone asks.
function blocks.folded(el, head)
  local id = el.identifier ~= '' and ' id="' .. el.identifier .. '"' or ''
  local result = pandoc.List {
    pandoc.RawBlock('html', '<details class="folded"' .. id .. '><summary>'),
    pandoc.Plain(head), pandoc.RawBlock('html', '</summary>')}
  result:extend(el.content)
  result:insert(pandoc.RawBlock('html', '</details>'))
  return result
end

-- The file name above program text.
function blocks.code(el, filename)
  local name = pandoc.Inlines {pandoc.Code(filename)}
  if blocks.modules then
    name = pandoc.Inlines {
      pandoc.Link(name, blocks.modules .. filename .. '.html')}
  end
  return pandoc.Div({
    pandoc.Div({pandoc.Plain(name)}, {class = 'filename'}),
    el,
  }, {class = 'code-with-filename'})
end

-- Code that opens when it is asked for.
function blocks.closed(code, head)
  return pandoc.Blocks {
    pandoc.RawBlock('html', '<details class="closed"><summary>'),
    pandoc.Plain(head), pandoc.RawBlock('html', '</summary>'), code,
    pandoc.RawBlock('html', '</details>')}
end

-- `sign` makes the number that stands before an item.
function blocks.annotations(list, sign)
  for i, item in ipairs(list.content) do
    item[1].content:insert(1, pandoc.Space())
    item[1].content:insert(1, sign(i, blocks.shared.circled[i]))
  end
  return pandoc.Blocks {pandoc.Div({list}, {class = 'annotations'})}
end

-- In one document a link to a chapter's source leads to its label.
function blocks.link(el, _, anchor)
  if anchor == '' then return el.content end
  el.target = anchor
  return el
end

return blocks
