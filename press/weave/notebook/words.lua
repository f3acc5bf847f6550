-- What a notebook cannot show is dropped: its words stay.

local function words(el) return el.content end

-- A reference leads to another file, or to a cell that has no anchor.
local function link(el)
  if not el.target:match '^%a+:' then return el.content end
  el.attr = pandoc.Attr()
  return el
end

local function heading(el)
  el.attr = pandoc.Attr()
  return el
end

-- A caption stands above its table as a line of its own.
local function tabled(el)
  local caption = pandoc.Blocks(el.caption.long)
  el.caption, el.attr = {long = {}}, pandoc.Attr()
  caption:insert(el)
  return caption
end

return {{Link = link, Header = heading, Table = tabled},
  {Span = words}, {Div = words}}
