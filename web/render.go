package web

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

//go:embed templates
var templateFS embed.FS

// templates are the pages by language: the same files, with functions bound to the language.
type templates map[lang]*template.Template

func loadTemplates(static *staticFiles) (templates, error) {
	all := templates{}
	for _, l := range []lang{vietnamese, english} {
		t, err := template.New("").Funcs(functions(l, static)).ParseFS(templateFS, "templates/*.html")
		if err != nil {
			return nil, fmt.Errorf("read the templates: %w", err)
		}
		all[l] = t
	}
	return all, nil
}

// functions are what templates may call. t writes a sentence that stands in the template in both languages; say writes
// one that comes as a value.
func functions(l lang, static *staticFiles) template.FuncMap {
	return template.FuncMap{
		"t":       func(vi, en string) string { return phrase{vi, en}.In(l) },
		"say":     func(p phrase) string { return p.In(l) },
		"lang":    l.String,
		"english": func() bool { return l == english },
		"static":  static.url,
		"moment":  moment,
		"machine": machine,
		"day":     day,
		"n":       number[int],
		"size":    size,
		"px":      func(points float64) string { return strconv.FormatFloat(points, 'f', 1, 64) },
		"state":   stateBadge,
		"status":  statusBadge,
		"urgency": urgencyBadge,
		"verdict": verdictBadge,
		"outcome": outcomeBadge,
		"way":     wayLabel,
		"kind":    kindLabel,
		"form":    formLabel,
		"reason":  reasonLabel,
		"role":    roleLabel,
		"with":    with,
		"join":    strings.Join,
		"breaks":  func(id string) []string { return strings.SplitAfter(id, ",") },
		"isoday":  func(t time.Time) string { return t.Format(time.DateOnly) },
	}
}

// with makes the argument of a component from pairs: {{template "field" (with "id" "q" "label" …)}}.
func with(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("with: %d values do not make pairs", len(pairs))
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("with: %v is no name", pairs[i])
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// page is what every page is given; Body is its own.
type page struct {
	Title  phrase
	Viewer *viewer
	Path   string // where the switch of language comes back to
	Here   string // the path of this page
	Test   bool   // test anchors are installed: nothing here has legal value
	Now    time.Time
	Strays int // statuses that wait to be looked at, up to mostStrays; 0 for who does not see them
	Body   any
}

// Sees says whether the bar offers the lists.
func (p page) Sees() bool { return p.Viewer.may(documents) }

// Content says whether subjects and files may be shown (R102). Templates ask it at every one.
func (p page) Content() bool { return p.Viewer.may(content) }

// SeesStrays says whether the bar offers the list of stray statuses.
func (p page) SeesStrays() bool { return p.Viewer.may(seesStrays) }

// StraysShown is their count as written.
func (p page) StraysShown() string {
	if p.Strays >= mostStrays {
		return number(mostStrays-1) + "+"
	}
	return number(p.Strays)
}

// Section is the entry of the bar that the page belongs to.
func (p page) Section() string {
	switch {
	case strings.HasPrefix(p.Here, "/dispatches/"):
		return "/sent"
	case strings.HasPrefix(p.Here, "/deliveries/"):
		return "/received"
	case strings.HasPrefix(p.Here, "/strays/"):
		return "/strays"
	}
	return p.Here
}

// show renders a page to the end before it answers, so that a failure never leaves half a page.
func (s *site) show(q *request, status int, name string, title phrase, body any) {
	to := "/"
	if q.Method == http.MethodGet {
		to = q.URL.RequestURI()
	}
	p := page{Title: title, Viewer: q.viewer, Path: to, Here: q.URL.Path, Test: s.Demo || s.anchors.test(q.Context(), s), Now: s.Now(), Body: body}
	if name != "failure" { // which must come when the database is away
		p.Strays = s.countStrays(q)
	}
	html, err := s.pages.render(q.lang, name, p)
	if err != nil {
		s.Log.Error("page not rendered", "page", name, "err", err)
		http.Error(q.w, internal.Text.In(q.lang), http.StatusInternalServerError)
		return
	}
	q.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	q.w.Header().Set("Content-Language", q.lang.String())
	q.answer(status, html, gzipped(html))
}

func (t templates) render(l lang, name string, p page) ([]byte, error) {
	var b bytes.Buffer
	if err := t[l].ExecuteTemplate(&b, name, p); err != nil {
		return nil, fmt.Errorf("render %s: %w", name, err)
	}
	return b.Bytes(), nil
}

// testAnchors remembers for a few seconds whether test anchors are installed: every page asks.
type testAnchors struct {
	mu    sync.Mutex
	until time.Time
	found bool
}

const testAnchorsFor = 2 * time.Second

// test answers from memory while it can. Whoever finds it stale moves the time ahead first, so that one request asks the
// database and none waits for it.
func (a *testAnchors) test(ctx context.Context, s *site) bool {
	a.mu.Lock()
	found, stale := a.found, !s.Now().Before(a.until)
	if stale {
		a.until = s.Now().Add(testAnchorsFor)
	}
	a.mu.Unlock()
	if !stale {
		return found
	}
	list, err := s.Store.Anchors(ctx)
	if err != nil {
		return found // what was known stays; the page itself will say that the database is away
	}
	found = slices.ContainsFunc(list, func(one storage.Anchor) bool { return one.Test && one.RetiredAt.IsZero() })
	a.mu.Lock()
	defer a.mu.Unlock()
	a.found = found
	return found
}
