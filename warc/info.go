package warc

import (
	"fmt"
	"time"
)

// fileName returns the name of a file as Annex C recommends, but for the host: the
// files do not depend on where they are written.
func fileName(created time.Time, serial int) string {
	return fmt.Sprintf("finarc-%s-%05d.warc.gz", digits(formatDate(created)), serial)
}

// info returns the warcinfo record with which a file begins (6.2).
func (o *Options) info(name string) *record {
	var block []byte
	for _, f := range []field{
		{"software", o.software()},
		{"format", "WARC file version 1.1"},
		{"conformsTo", "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/"},
		{"description", o.description()},
	} {
		block = appendField(block, f.name, f.value)
	}
	return &record{kind: typeInfo, date: o.Created, fields: []field{{"WARC-Filename", name}}, media: mediaFields, body: block}
}

func (o *Options) software() string { return "finarc/" + o.Version }

// description tells what was exported, and what was not kept of it.
func (o *Options) description() string {
	changes := ""
	switch {
	case o.After > 0:
		changes = fmt.Sprintf(", changes %d to %d", o.After+1, o.UpTo)
	case o.UpTo > 0:
		changes = fmt.Sprintf(", up to change %d", o.UpTo)
	}
	return "Captures of a finarc archive: " + o.Selection + changes + ". Bodies and headers are as they were after transfer and content" +
		" decoding. Requests were not kept. Of the answers by which a page was met again as it was the last is a revisit; where it was not" +
		" kept, a metadata record tells when that was."
}
