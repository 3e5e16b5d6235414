// Package migrations answers: what does the database look like? It holds the schema as numbered SQL files,
// embedded in the binary. A file is never edited once released and there is no way down: old code must run on
// the new schema, because during a rolling upgrade it does.
package migrations

import (
	"embed"
	"io/fs"
	"strconv"
	"strings"
)

// FS holds the files NNNN_name.sql in the form that goose reads.
//
//go:embed *.sql
var FS embed.FS

// Latest returns the highest number among the files: the schema version that this binary was built for.
func Latest() int64 {
	names, err := fs.Glob(FS, "*.sql")
	if err != nil || len(names) == 0 {
		panic("migrations: no SQL file was embedded") // a bug of the build, not of the installation
	}
	var latest int64
	for _, name := range names {
		number, _, _ := strings.Cut(name, "_")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			panic("migrations: file name without a number: " + name)
		}
		latest = max(latest, n)
	}
	return latest
}
