package web

import (
	"context"
	_ "embed"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/truc-lienthong/truc/storage"
)

//go:embed testdata/axe.min.js
var axe string

var shots = flag.String("shots", "", "write screenshots of the gallery into this folder")

// oneBrowser keeps two browsers from starving each other on a small machine.
var oneBrowser sync.Mutex

// browser starts a real Chromium without script-made help from outside: no name resolves, only this machine answers.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("browser tests need chromium on PATH (apt-get install chromium)")
	}
	oneBrowser.Lock()
	t.Cleanup(oneBrowser.Unlock)
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(t.TempDir()), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"), chromedp.WSURLReadTimeout(time.Minute))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// requests notes the address of everything that the page asks for.
type requests struct {
	mu   sync.Mutex
	urls []string
}

func listen(t *testing.T, ctx context.Context) *requests {
	t.Helper()
	r := &requests{}
	check(t, chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*network.EventRequestWillBeSent); ok {
			r.mu.Lock()
			r.urls = append(r.urls, e.Request.URL)
			r.mu.Unlock()
		}
	}))
	return r
}

// stay fails the test for every request that left for another host.
func (r *requests) stay(t *testing.T, home string) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.urls) == 0 {
		t.Error("no request was seen at all")
	}
	for _, u := range r.urls {
		if !strings.HasPrefix(u, home+"/") && !strings.HasPrefix(u, "data:") { // data: the browser draws its own date fields
			t.Errorf("a request left for %s", u)
		}
	}
}

// patience is for one step of a browser on a busy machine.
const patience = 2 * time.Minute

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	check(t, chromedp.Do(ctx, steps...))
}

func get[T any](t *testing.T, ctx context.Context, a chromedp.Action[T]) T {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return must[T](t)(chromedp.Run(ctx, a))
}

// violations runs axe-core on the page at hand; one line for each finding.
func violations(t *testing.T, ctx context.Context) []string {
	t.Helper()
	do(t, ctx, chromedp.Evaluate[chromedp.Void](axe+";0"))
	return get(t, ctx, chromedp.Evaluate[[]string](`axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v =>
		v.id + ": " + v.help + " " + v.nodes.map(n => n.target.join(" ") + " " + n.failureSummary).join(" | ")))`, chromedp.EvalAwaitPromise))
}

// window sets the width, as a phone or a desk has it.
func window(wide int64) chromedp.Action[chromedp.Void] { return chromedp.EmulateViewport(wide, 900) }

// TestJourneyInARealBrowser signs in with password and code, reads the list, opens a document, and looks at a receipt,
// as a clerk does, with scripts switched off.
func TestJourneyInARealBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.story()
	ctx := browser(t)
	seen := listen(t, ctx)
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	check(t, err)
	do(t, ctx, window(1280), chromedp.Navigate(w.url+"/dispatches/"+s.returned),
		chromedp.WaitVisible(`#name`), chromedp.SendKeys(`#name`, "van.thu"), chromedp.SendKeys(`#password`, w.users["van.thu"].password))
	do(t, ctx, chromedp.SendKeys(`#code`, w.code("van.thu")), chromedp.Click(`main button[type=submit]`), chromedp.WaitVisible(`#recipients`))
	heading, address, reason := get(t, ctx, chromedp.Text(`h1`)), get(t, ctx, chromedp.Location()), get(t, ctx, chromedp.Text(`.reason`))
	if heading != "124/SYT-VP" || !strings.HasSuffix(address, "/dispatches/"+s.returned) || !strings.Contains(reason, "Sai thẩm quyền") {
		t.Errorf("after the sign-in: %q at %s, reason %q", heading, address, reason)
	}
	do(t, ctx, chromedp.Click(`.nav a[href="/sent"]`), chromedp.WaitVisible(`table.list`), chromedp.Click(`//a[text()="05/CĐ-SYT"]`), chromedp.WaitVisible(`.lead`))
	if lead := get(t, ctx, chromedp.Text(`.lead`)); !strings.Contains(lead, "bão số 12") {
		t.Errorf("the telegram's subject is %q", lead)
	}
	do(t, ctx, chromedp.Click(`.options .good`), chromedp.WaitVisible(`.option.good[aria-current]`),
		chromedp.Click(`.me > form button`), chromedp.WaitVisible(`html[lang=en] .lead`))
	seen.stay(t, w.url)
}

// TestStrayInARealBrowser: an operator opens the question beside a stray status and confirms, with scripts switched off.
func TestStrayInARealBrowser(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stray(2, storage.NoDocument)
	w.stray(1, storage.NothingAsked)
	ctx := browser(t)
	seen := listen(t, ctx)
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	check(t, err)
	do(t, ctx, window(390), chromedp.Navigate(w.url+"/strays"), chromedp.WaitVisible(`#name`), chromedp.SendKeys(`#name`, "van.hanh"), chromedp.SendKeys(`#password`, w.users["van.hanh"].password))
	do(t, ctx, chromedp.SendKeys(`#code`, w.code("van.hanh")), chromedp.Click(`main button[type=submit]`), chromedp.WaitVisible(`.strays`))
	if n := get(t, ctx, chromedp.Text(`.count`)); !strings.HasPrefix(n, "2") {
		t.Errorf("the bar counts %q", n)
	}
	do(t, ctx, chromedp.Click(`.ask summary`), chromedp.WaitVisible(`.ask[open] button`), chromedp.Click(`.ask[open] button`), chromedp.WaitVisible(`.note.good`))
	if n, left := get(t, ctx, chromedp.Text(`.count`)), get(t, ctx, chromedp.Text(`.strays tbody`)); !strings.HasPrefix(n, "1") || !strings.Contains(left, "H29.12-2026-002") || strings.Contains(left, "H29.12-2026-001") {
		t.Errorf("after the first was looked at the bar counts %q, and there are %q", n, left)
	}
	seen.stay(t, w.url)
}

// TestGalleryInARealBrowser looks at every page in every state at the width of a phone and of a desk, with all that can be
// unfolded unfolded: axe-core finds nothing, nothing runs over the edge, and no request leaves the machine.
func TestGalleryInARealBrowser(t *testing.T) {
	t.Parallel()
	static := must[*staticFiles](t)(loadStatic())
	pages := must[templates](t)(loadTemplates(static))
	pictures := map[string]picture{}
	for _, p := range gallery() {
		pictures[p.name] = p
	}
	site := &site{static: static}
	mux := http.NewServeMux()
	mux.HandleFunc("/static/{name}", func(w http.ResponseWriter, r *http.Request) { _ = site.getStatic(&request{Request: r, w: w}) })
	mux.HandleFunc("/gallery/{name}", func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header(), false)
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(pictures[r.PathValue("name")].render(t, pages))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	ctx := browser(t)
	seen := listen(t, ctx)
	for _, p := range gallery() {
		for _, wide := range []int64{1280, 390} {
			do(t, ctx, window(wide), chromedp.Navigate(server.URL+"/gallery/"+p.name))
			shoot(t, ctx, fmt.Sprintf("%s-%d.png", p.name, wide))
			opened := get(t, ctx, chromedp.Evaluate[int](`[...document.querySelectorAll("main details:not([open])")].map(d => d.open = true).length`))
			if opened > 0 {
				shoot(t, ctx, fmt.Sprintf("%s-open-%d.png", p.name, wide))
			}
			if over := get(t, ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - innerWidth`)); over > 0 {
				t.Errorf("%s at %d: %d pixels wider than the window", p.name, wide, over)
			}
			for _, v := range violations(t, ctx) {
				t.Errorf("%s at %d: %s", p.name, wide, v)
			}
		}
	}
	seen.stay(t, server.URL)
}

func shoot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	if *shots == "" {
		return
	}
	png := get(t, ctx, chromedp.FullScreenshot(100))
	check(t, os.MkdirAll(*shots, 0o755))
	check(t, os.WriteFile(filepath.Join(*shots, name), png, 0o644))
}
