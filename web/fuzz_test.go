package web

import (
	"net/url"
	"strings"
	"testing"
)

// FuzzLocalPath: whatever a link says, a browser that follows the answer stays on this site.
func FuzzLocalPath(f *testing.F) {
	for _, seed := range []string{"/", "/sent?a=b", "//evil.example", `/\evil.example`, "https://evil.example", "/\t/evil.example", "/%2F/evil.example", "/..//evil.example", "%2F", "/%2F "} {
		f.Add(seed)
	}
	home := &url.URL{Scheme: "https", Host: "truc.example", Path: "/sign-in"}
	f.Fuzz(func(t *testing.T, to string) {
		got := localPath(to)
		u, err := url.Parse(got)
		if err != nil || home.ResolveReference(u).Host != home.Host || !strings.HasPrefix(got, "/") || strings.HasPrefix(got, "//") || strings.ContainsAny(got, "\\\r\n\t") {
			t.Errorf("%q leads to %q", to, got)
		}
	})
}

// FuzzFilter: a filter that was read and written again says the same.
func FuzzFilter(f *testing.F) {
	for _, seed := range []string{"", "q=a&from=1/2/2026&to=2026-02-28&state=held&urgency=express&agency=H29", "before=019aa5e0-0000-7000-8000-000000000001", "before=019aa5e0-0000-7000-8000-000000000001.7", "from=%00", "q=%ff"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		v, err := url.ParseQuery(query)
		if err != nil {
			return
		}
		first, err := readFilter(v, sentFaces, galleryNow)
		if err != nil || first.Fault != (phrase{}) {
			return
		}
		v, err = url.ParseQuery(first.query(""))
		if err != nil {
			t.Fatal(err)
		}
		second, err := readFilter(v, sentFaces, galleryNow)
		if err != nil || second.query("") != first.query("") || second.Text != first.Text || !second.From.Equal(first.From) || !second.To.Equal(first.To) {
			t.Errorf("%q reads %+v, then %+v (%v)", query, first, second, err)
		}
	})
}

// FuzzPasswordHash: a damaged row neither fits nor asks for all memory.
func FuzzPasswordHash(f *testing.F) {
	for _, seed := range []string{"", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw", "$argon2id$v=19$m=4294967295,t=1,p=1$c2FsdHNhbHQ$a2V5a2V5a2V5a2V5a2V5aw"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, hash string) {
		p, err := parsePHC(hash)
		if err == nil && (p.memory > 256*1024 || p.time > 16 || p.threads > 16 || len(p.key) > 128) {
			t.Errorf("%q is taken: %+v", hash, p)
		}
	})
}
