# Reads a feed with Ruby's own library, which holds it against RFC 4287: what must be
# there, how often, and of what form. What it does not know is a failure. Prints the
# feed, and then each entry, as a line of JSON.
require "json"
require "rss"

RSS::Parser.default_parser = RSS::REXMLParser
feed = RSS::Parser.parse(File.read(ARGV.fetch(0), encoding: "UTF-8"), do_validate: true, ignore_unknown_element: false)
raise "not an Atom feed" unless feed.is_a?(RSS::Atom::Feed)

links = ->(of) { of.links.map { |l| [l.rel, l.type, l.href] } }
puts JSON.generate(id: feed.id.content, title: feed.title.content, updated: feed.updated.content.to_i, links: links[feed])
feed.entries.each do |e|
  puts JSON.generate(
    id: e.id.content, title: e.title.content, published: e.published&.content&.to_i, updated: e.updated.content.to_i,
    author: e.author.name.content, links: links[e], categories: e.categories.map { |c| [c.scheme, c.term, c.label] },
    summary: e.summary&.content, content: e.content&.content, type: e.content&.type
  )
end
