package dataset

import (
	"encoding/json"
	"path/filepath"
	"time"
)

// descriptorName is the file that describes a folder's files.
const descriptorName = "datapackage.json"

// descriptor is a Data Package
// (https://specs.frictionlessdata.io/data-package/). What stands under finarc is
// not of the standard, which leaves room for more.
type descriptor struct {
	Profile   string     `json:"profile"`
	Name      string     `json:"name"`
	Title     string     `json:"title"`
	Created   string     `json:"created"`
	Finarc    origin     `json:"finarc"`
	Resources []resource `json:"resources"`
}

// origin tells where the rows come from.
type origin struct {
	Version   string `json:"version"`
	Selection string `json:"selection"`
	After     uint64 `json:"after_change"`
	UpTo      uint64 `json:"up_to_change,omitempty"`
	Rows      int    `json:"rows"`
}

// resource is a file (https://specs.frictionlessdata.io/data-resource/).
type resource struct {
	Name      string   `json:"name"`
	Path      string   `json:"path"`
	Profile   string   `json:"profile"`
	Format    string   `json:"format"`
	MediaType string   `json:"mediatype"`
	Encoding  string   `json:"encoding,omitempty"`
	Bytes     int64    `json:"bytes"`
	Hash      string   `json:"hash"`
	Rows      int      `json:"rows"`
	Dialect   *dialect `json:"dialect,omitempty"`
	Schema    schema   `json:"schema"`
}

// dialect says how CSV is written (https://specs.frictionlessdata.io/csv-dialect/).
type dialect struct {
	Delimiter      string `json:"delimiter"`
	LineTerminator string `json:"lineTerminator"`
	QuoteChar      string `json:"quoteChar"`
	DoubleQuote    bool   `json:"doubleQuote"`
	SkipSpace      bool   `json:"skipInitialSpace"`
	Header         bool   `json:"header"`
}

// schema is a Table Schema (https://specs.frictionlessdata.io/table-schema/).
type schema struct {
	Fields        []field  `json:"fields"`
	PrimaryKey    []string `json:"primaryKey"`
	MissingValues []string `json:"missingValues"`
}

func newSchema(o *Options) schema {
	return schema{Fields: o.chosen(), PrimaryKey: []string{"id"}, MissingValues: []string{""}}
}

// describe writes the descriptor.
func (f *folder) describe() error {
	o := f.options
	d := descriptor{
		Profile: "data-package", Name: "finarc-posts", Title: "Posts of a finarc archive", Created: o.Created.UTC().Format(time.RFC3339),
		Finarc: origin{Version: o.Version, Selection: o.Selection, After: o.After, UpTo: o.UpTo},
	}
	if o.Format == CSV {
		d.Profile = "tabular-data-package"
	}
	for _, file := range f.files {
		d.Finarc.Rows += file.Rows
		d.Resources = append(d.Resources, o.resource(&file))
	}
	data, err := json.MarshalIndent(d, "", "  ")
	if err != nil {
		return err
	}
	return write(filepath.Join(f.path, descriptorName), append(data, '\n'))
}

func (o *Options) resource(file *File) resource {
	r := resource{
		Name: file.name, Path: file.Path, Profile: "data-resource", Format: string(o.Format),
		Bytes: file.Bytes, Hash: "sha256:" + file.SHA256, Rows: file.Rows, Schema: newSchema(o),
	}
	switch o.Format {
	case JSONLines:
		r.MediaType, r.Encoding = "application/jsonl", "utf-8"
	case CSV:
		r.Profile, r.MediaType, r.Encoding = "tabular-data-resource", "text/csv", "utf-8"
		r.Dialect = &dialect{Delimiter: ",", LineTerminator: "\r\n", QuoteChar: `"`, DoubleQuote: true, Header: true}
	case Parquet:
		r.MediaType = "application/vnd.apache.parquet"
	}
	return r
}
