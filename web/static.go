package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"
)

//go:embed static
var staticFS embed.FS

// staticFile is one file as it is served.
type staticFile struct {
	media   string
	body    []byte
	gzipped []byte // nil for what does not get smaller
}

// staticFiles are the vendored files, under names that hold a hash of their content: a browser may keep them for ever,
// and a new version has a new name.
type staticFiles struct {
	served map[string]staticFile // by the name with its hash
	names  map[string]string     // from the plain name to the one with its hash
}

var staticMedia = map[string]string{".css": "text/css; charset=utf-8", ".woff2": "font/woff2", ".svg": "image/svg+xml", ".txt": "text/plain; charset=utf-8"}

// loadStatic reads the files; style sheets last, for they name the others.
func loadStatic() (*staticFiles, error) {
	entries, err := staticFS.ReadDir("static")
	if err != nil {
		return nil, fmt.Errorf("read static files: %w", err)
	}
	f := &staticFiles{served: map[string]staticFile{}, names: map[string]string{}}
	var sheets []string
	for _, e := range entries {
		if path.Ext(e.Name()) == ".css" {
			sheets = append(sheets, e.Name())
			continue
		}
		if err := f.add(e.Name()); err != nil {
			return nil, err
		}
	}
	for _, name := range sheets {
		if err := f.add(name); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *staticFiles) add(name string) error {
	body, err := staticFS.ReadFile("static/" + name)
	if err != nil {
		return fmt.Errorf("read static file %s: %w", name, err)
	}
	ext := path.Ext(name)
	if ext == ".css" {
		for plain, hashed := range f.names {
			body = bytes.ReplaceAll(body, []byte(`url("`+plain+`")`), []byte(`url("`+hashed+`")`))
		}
	}
	one := staticFile{media: staticMedia[ext], body: body}
	if one.media == "" {
		return fmt.Errorf("static file %s: no media type for %s", name, ext)
	}
	if ext != ".woff2" {
		one.gzipped = gzipped(body)
	}
	sum := sha256.Sum256(body)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
	f.names[name], f.served[hashed] = hashed, one
	return nil
}

// url gives the address of a file by its plain name; a name that does not exist is a bug.
func (f *staticFiles) url(name string) (string, error) {
	hashed, ok := f.names[name]
	if !ok {
		return "", fmt.Errorf("no static file %q", name)
	}
	return "/static/" + hashed, nil
}

func (s *site) getStatic(q *request) error {
	f, ok := s.static.served[q.PathValue("name")]
	if !ok {
		return errNoPage
	}
	h := q.w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", f.media)
	q.answer(http.StatusOK, f.body, f.gzipped)
	return nil
}

// answer writes a body, compressed when that exists and the browser takes it.
func (q *request) answer(status int, body, gzipped []byte) {
	h := q.w.Header()
	h.Add("Vary", "Accept-Encoding")
	if gzipped != nil && strings.Contains(q.Header.Get("Accept-Encoding"), "gzip") {
		h.Set("Content-Encoding", "gzip")
		body = gzipped
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	q.w.WriteHeader(status)
	if q.Method != http.MethodHead {
		_, _ = q.w.Write(body) // the browser may have gone
	}
}

func gzipped(body []byte) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err != nil {
		return nil
	}
	if _, err := z.Write(body); err != nil {
		return nil
	}
	if err := z.Close(); err != nil {
		return nil
	}
	return b.Bytes()
}
