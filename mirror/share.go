package mirror

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/finarc/finarc/news"
)

// shared is a post as share and text pages tell it.
type shared struct {
	code   news.InfoCode
	time   string
	outlet string
	title  string
	digest string
	body   string
}

// findShare answers for a NewsShare page. One of an unknown post is a shell
// like any other: such pages do not know what there is.
func (g *generated) findShare(r request) answer {
	code := r.code("infoCode")
	i, ok := g.sharedPost(code)
	if !ok {
		return answer{status: 200, media: mediaHTML, body: func(dst []byte) ([]byte, error) {
			return appendSharePage(dst, shared{code: code}), nil
		}}
	}
	e, rev, _ := g.state(i)
	return answer{
		status: 200, media: mediaHTML,
		etag:     etag(g.seed, sharePath, e.serial, int64(rev.number), int64(e.flags&^relaid)),
		modified: time.Unix(rev.at, 0),
		body: func(dst []byte) ([]byte, error) {
			if e.is(shareShell) {
				return appendSharePage(dst, shared{code: e.code()}), nil
			}
			return appendSharePage(dst, g.shared(&e, rev.number)), nil
		},
	}
}

// findText answers with the JSON behind a NewsShare page, without text where
// the post is unknown.
func (g *generated) findText(r request) answer {
	code := r.code("id", "infoCode")
	i, ok := g.sharedPost(code)
	if !ok {
		return answer{status: 200, media: mediaJSON, body: textJSON(shared{code: code}, false)}
	}
	e, rev, _ := g.state(i)
	return answer{
		status: 200, media: mediaJSON,
		etag:     etag(g.seed, textPath, e.serial, int64(rev.number), int64(e.flags&^relaid)),
		modified: time.Unix(rev.at, 0),
		body: func(dst []byte) ([]byte, error) {
			return textJSON(g.shared(&e, rev.number), e.is(otherNames))(dst)
		},
	}
}

// sharedPost returns the post that share and text pages have under a code.
func (g *generated) sharedPost(code news.InfoCode) (int, bool) {
	i := g.byID(code.ID())
	if i < 0 {
		return 0, false
	}
	fault := g.all()[i].fault
	return i, fault != faultGone && fault != faultNoCode
}

func (g *generated) shared(e *entry, revisions int) shared {
	s := shared{code: e.code(), time: string(e.appendTime(nil)), outlet: news.OutletOfTag(g.world.outlets[e.outlet].tag)}
	g.write(e, revisions, func(a *author) {
		s.title, s.digest, s.body = string(a.title), string(a.digest), string(a.body)
	})
	return s
}

// appendSharePage appends a NewsShare page: with the text, or, where s has
// none, the shell whose script fetches it.
func appendSharePage(dst []byte, s shared) []byte {
	dst = fmt.Appendf(dst, shareHead, escape(s.title))
	dst = fmt.Appendf(dst, `<div class="news"><h1 class="title">%s</h1><div class="info"><span class="time">%s</span> <span class="media">%s</span></div><div id="newsContent" class="content">%s</div></div>`,
		escape(s.title), s.time, escape(s.outlet), s.body)
	if s.body == "" {
		dst = fmt.Appendf(dst, shareScript, textPath, s.code)
	}
	return append(dst, "\n</body>\n</html>\n"...)
}

const shareHead = `<!DOCTYPE html>
<html>
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1,user-scalable=no">
<meta name="format-detection" content="telephone=no">
<title>%s</title>
<link rel="stylesheet" href="/html_News/css/share.css">
</head>
<body>
`

const shareScript = `
<script src="/html_News/js/zepto.min.js"></script>
<script>
(function () {
  $.getJSON("%s?id=%s", function (news) {
    $(".title").text(news.title);
    $(".time").text(news.showtime || news.datetime);
    $(".media").text(news.medianame || news.from);
    $("#newsContent").html(news.text || news.content);
    document.title = news.title;
  });
})();
</script>`

// textJSON renders the JSON behind a NewsShare page, with one or the other of
// the two sets of field names that are in use.
func textJSON(s shared, other bool) renderer {
	return func(dst []byte) ([]byte, error) {
		var fields any = struct {
			InfoCode  news.InfoCode `json:"infoCode"`
			Title     string        `json:"title"`
			ShowTime  string        `json:"showtime"`
			MediaName string        `json:"medianame"`
			Digest    string        `json:"digest"`
			Text      string        `json:"text"`
		}{s.code, s.title, s.time, s.outlet, s.digest, s.body}
		if other {
			fields = struct {
				InfoCode news.InfoCode `json:"infocode"`
				Title    string        `json:"title"`
				DateTime string        `json:"datetime"`
				From     string        `json:"from"`
				Digest   string        `json:"digest"`
				Content  string        `json:"content"`
			}{s.code, s.title, s.time, s.outlet, s.digest, s.body}
		}
		out := bytes.NewBuffer(dst)
		enc := json.NewEncoder(out)
		enc.SetEscapeHTML(false) // as such servers write it
		err := enc.Encode(fields)
		return out.Bytes(), err
	}
}
