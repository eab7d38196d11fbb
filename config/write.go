package config

import (
	"bytes"
	"fmt"
	"io"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// head begins every configuration that is written.
const head = `# The configuration of finarc. Durations are written as 30s or 2m, sizes as
# 8MiB, 500KiB or in bytes. An environment variable overrides a key: limits.rate
# is FINARC_LIMITS_RATE, and the site of a single mirror FINARC_MIRROR_SITE.
`

// Template returns a working configuration of the real mirror, commented, to
// begin with.
func Template() []byte {
	c := Default()
	c.Mirrors = []Mirror{{
		Name:  "finews",
		Site:  "https://finews.withounder.com/",
		Share: "http://finews.zning.xyz/html_News/NewsShare.html?infoCode=" + InfoCodeMark,
		Text:  "http://finews.zning.xyz/NewsData/GetNewsText.do?id=" + InfoCodeMark,

		Window: DefaultWindow,
	}}
	return c.YAML()
}

// WriteTo writes what [Config.YAML] returns.
func (c Config) WriteTo(w io.Writer) (int64, error) {
	n, err := w.Write(c.YAML())
	return int64(n), err
}

// YAML returns c as a commented file: all keys with the values in effect. If c
// is valid, [Parse] reads the same configuration from it.
func (c Config) YAML() []byte {
	var b bytes.Buffer
	b.WriteString(head)
	keys := settings()
	for _, k := range keys {
		if name, rest := section(k.path); name == "" {
			b.WriteByte('\n')
			writeKey(&b, k, &c, "", rest, true)
		}
	}
	c.writeMirrors(&b)
	writeSection(&b, &c, limitsKey, limitsDoc)
	writeSection(&b, &c, notifyKey, notifyDoc)
	writeSection(&b, &c, serveKey, serveDoc)
	return b.Bytes()
}

func writeSection(b *bytes.Buffer, c *Config, section, doc string) {
	fmt.Fprintf(b, "\n# %s\n%s:\n", doc, section)
	for _, k := range settings() {
		if rest, ok := strings.CutPrefix(k.path, section+"."); ok {
			writeKey(b, k, c, "  ", rest, true)
		}
	}
}

// writeMirrors writes the mirrors; the first of them with comments.
func (c Config) writeMirrors(b *bytes.Buffer) {
	fmt.Fprintf(b, "\n# %s\n%s:", mirrorsDoc, mirrorsKey)
	if len(c.Mirrors) == 0 {
		b.WriteString(" []")
	}
	b.WriteByte('\n')
	for i := range c.Mirrors {
		var item bytes.Buffer
		for _, k := range mirrorSettings() {
			writeKey(&item, k, &c.Mirrors[i], "    ", k.path, i == 0)
		}
		fmt.Fprintf(b, "  - %s", item.Bytes()[len("  - "):])
	}
}

// writeKey writes one key of t under the given name, behind indent.
func writeKey[T any](b *bytes.Buffer, k key[T], t *T, indent, name string, comment bool) {
	if comment {
		fmt.Fprintf(b, "%s# %s\n", indent, k.doc)
	}
	values := k.get(t)
	switch {
	case !k.list:
		fmt.Fprintf(b, "%s%s: %s\n", indent, name, quote(values[0]))
	case len(values) == 0:
		fmt.Fprintf(b, "%s%s: []\n", indent, name)
	default:
		fmt.Fprintf(b, "%s%s:\n", indent, name)
		for _, v := range values {
			fmt.Fprintf(b, "%s  - %s\n", indent, quote(v))
		}
	}
}

// quote returns s as a YAML scalar: plain where that reads back as written,
// else in double quotes, within which Go's escapes are all YAML's too.
func quote(s string) string {
	var n yaml.Node
	if yaml.Unmarshal([]byte("key: "+s), &n) != nil || n.Content[0].Kind != yaml.MappingNode || len(n.Content[0].Content) != 2 {
		return strconv.Quote(s)
	}
	if v := n.Content[0].Content[1]; v.Value != s || v.Style != 0 || !plain(v, false) {
		return strconv.Quote(s)
	}
	return s
}
