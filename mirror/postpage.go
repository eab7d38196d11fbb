package mirror

import "fmt"

// postPage appends the page of the i-th post.
func (g *generated) postPage(dst []byte, i int, e *entry, revisions int, r *request) []byte {
	if title, body, ok := g.rendered.get(i); ok && revisions == 0 {
		return g.layoutPost(dst, e, title, body, r)
	}
	g.write(e, revisions, func(a *author) { dst = g.layoutPost(dst, e, a.title, a.body, r) })
	return dst
}

func (g *generated) layoutPost(dst []byte, e *entry, title, body []byte, r *request) []byte {
	o := &g.world.outlets[e.outlet]
	title = appendEscaped(make([]byte, 0, 256), title)
	dst = beginPage(dst, title, r.base, r.path)
	dst = append(dst, "<small>(GMT+8, Asia/Shanghai, CST) "...)
	dst = e.appendTime(dst)
	dst = append(dst, "</small>\n<h1>"...)
	dst = append(dst, title...)
	dst = append(dst, "</h1>\n"...)
	dst = append(dst, body...)
	dst = append(dst, "\n\n"...)
	if e.fault != faultNoCode {
		dst = append(e.appendShareLink(append(dst, "<p>"...), r.share, nil), "</p>\n\n"...)
	}
	dst = o.appendBackLinks(dst, r.host())
	if e.is(relaid) {
		return appendAdvert(endPage(dst), e)
	}
	return endPage(dst)
}

// appendAdvert appends an advert, below all else.
func appendAdvert(dst []byte, e *entry) []byte {
	slogans := [...]string{"开户有礼，佣金优惠", "下载客户端，行情早知道", "基金定投，从今天开始"}
	return fmt.Appendf(dst, "<aside class=\"banner\"><a href=\"/ads/%d\">广告：%s</a></aside>\n", e.serial, slogans[e.serial%int64(len(slogans))])
}

// appendTime appends when the post was published, unless its page shall not
// tell.
func (e *entry) appendTime(dst []byte) []byte {
	if e.fault == faultNoDate {
		return dst
	}
	return e.time().AppendFormat(dst, "2006-01-02 15:04:05")
}

// appendShareLink appends a link to the post's NewsShare page, whose text is
// the address itself where none is given.
func (e *entry) appendShareLink(dst []byte, base string, text []byte) []byte {
	dst = append(dst, `<a href="`...)
	dst = e.appendShareURL(dst, base)
	dst = append(dst, `">`...)
	if text == nil {
		dst = e.appendShareURL(dst, base)
	} else {
		dst = append(dst, text...)
	}
	return append(dst, "</a>"...)
}

func (e *entry) appendShareURL(dst []byte, base string) []byte {
	dst = append(append(dst, base...), sharePath...)
	return e.appendCode(append(dst, "?infoCode="...))
}

// appendBackLinks appends the links to category and home, and the tags.
func (o *outlet) appendBackLinks(dst []byte, host string) []byte {
	dst = append(append(dst, `<p><a href="`...), host...)
	dst = append(append(dst, o.categoryURL()...), `">返回`...)
	dst = append(append(dst, escape(o.tag)...), `</a>｜<a href="`...)
	dst = append(append(dst, host...), "/\">返回首页</a></p>\n<small>tags: <em>"...)
	for i, tag := range o.tags {
		if i > 0 {
			dst = append(dst, "</em> - <em>"...)
		}
		dst = append(dst, escape(tag)...)
	}
	return append(dst, "</em></small>"...)
}

// rendered holds the text of posts, written ahead.
type rendered struct {
	text []byte
	ends []int // of title and body, by turns
}

// render writes every post's text.
func (g *generated) render() *rendered {
	posts := g.all()
	out := &rendered{ends: make([]int, 0, 2*len(posts))}
	for i := range posts {
		g.write(&posts[i], 0, func(a *author) {
			out.add(a.title)
			out.add(a.body)
		})
	}
	return out
}

func (r *rendered) add(text []byte) {
	r.text = append(r.text, text...)
	r.ends = append(r.ends, len(r.text))
}

// get returns the i-th post's title and body, if they were written.
func (r *rendered) get(i int) (title, body []byte, ok bool) {
	if r == nil || 2*i >= len(r.ends) {
		return nil, nil, false
	}
	from := 0
	if i > 0 {
		from = r.ends[2*i-1]
	}
	return r.text[from:r.ends[2*i]], r.text[r.ends[2*i]:r.ends[2*i+1]], true
}
