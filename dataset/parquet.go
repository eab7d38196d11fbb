package dataset

import (
	"encoding/json"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress/zstd"
)

// Bounds of a row group. A reader takes whole columns of one into memory, a
// writer all of them, so a group is what a telephone has to spare.
const (
	groupBytes = 16 << 20 // of rows, before they are packed
	groupRows  = 1 << 14
	pageBytes  = 2 << 20
)

// parquetFile writes Apache Parquet (https://parquet.apache.org/docs/file-format/),
// packed with Zstandard. Its metadata has the Table Schema of the columns under
// schemaKey.
//
// It does not claim to be sorted: rows come in order of publication, but where
// that is not known, or in the future, a row stands where the archive has it.
type parquetFile struct {
	*parquet.GenericWriter[Row]
	one  [1]Row
	rows int
	size int
}

// schemaKey names the fields, with their types, units and descriptions, in the
// metadata of a Parquet file.
const schemaKey = "frictionless.schema"

func newParquetFile(to io.Writer, o *Options) (*parquetFile, error) {
	schema, err := json.Marshal(newSchema(o))
	if err != nil {
		return nil, err
	}
	options := []parquet.WriterOption{
		parquet.Compression(&zstd.Codec{Level: zstd.SpeedDefault, Concurrency: 1}),
		parquet.PageBufferSize(pageBytes),
		parquet.KeyValueMetadata(schemaKey, string(schema)),
		parquet.CreatedBy("finarc", o.Version, ""),
	}
	if !o.HTML {
		options = append(options, parquet.StructTag(`parquet:"-"`, "HTML"))
	}
	return &parquetFile{GenericWriter: parquet.NewGenericWriter[Row](to, options...)}, nil
}

func (w *parquetFile) write(r *Row) error {
	w.one[0] = *r
	if _, err := w.Write(w.one[:]); err != nil {
		return err
	}
	w.rows++
	w.size += r.size()
	if w.rows < groupRows && w.size < groupBytes {
		return nil
	}
	w.rows, w.size = 0, 0
	return w.Flush()
}

func (w *parquetFile) close() error { return w.Close() }
