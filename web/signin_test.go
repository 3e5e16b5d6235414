package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

func (p *person) tryToSignIn(name, password, code string) answer {
	p.t.Helper()
	return p.do("POST", "/sign-in", url.Values{"name": {name}, "password": {password}, "code": {code}, "next": {"/sent?state=held"}})
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.person()
	if to := p.get("/sent?state=held").want(t, 303).Header.Get("Location"); to != "/sign-in?next=%2Fsent%3Fstate%3Dheld" {
		t.Errorf("sent to %q", to)
	}
	p.get("/sign-in?next=%2Fsent").want(t, 200, `name="next" value="/sent"`)
	s := w.users["van.thu"]
	code := w.code("van.thu")
	done := p.tryToSignIn("Van.Thu", s.password, code).want(t, 303)
	if to := done.Header.Get("Location"); to != "/sent?state=held" {
		t.Errorf("went on to %q", to)
	}
	cookie := done.Cookies()[0]
	if !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Secure {
		t.Errorf("cookie %v", cookie)
	}
	w.person().tryToSignIn("van.thu", s.password, code).want(t, 422) // a code counts once
	p.do("POST", "/sign-out", url.Values{}).want(t, 303)
	p.get("/sent").want(t, 303)
	old := w.person()
	old.do("GET", "/sent", nil, "Cookie", cookie.Name+"="+cookie.Value).want(t, 303) // the session is gone, not only its cookie
}

func TestTheTokenIsNewAfterSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	planted := w.signIn("van.thu.hanoi")
	u := must[*url.URL](t)(url.Parse(w.url))
	before := planted.http.Jar.Cookies(u)[0].Value
	planted.tryToSignIn("van.thu", w.users["van.thu"].password, w.code("van.thu")).want(t, 303)
	if after := planted.http.Jar.Cookies(u)[0].Value; after == before {
		t.Error("the token of before the sign-in still counts")
	}
	planted.get("/").want(t, 200, "van.thu</span>")
}

func TestWrongSignInsSayTheSame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.users["van.thu"]
	var bodies []string
	for _, try := range [][3]string{{"khong.co", "x", "000000"}, {"van.thu", "sai", w.code("van.thu")}, {"van.thu", s.password, "abc"},
		{"van.thu", s.password, ""}, {"'; --", "x", ""}} {
		a := w.person().tryToSignIn(try[0], try[1], try[2]).want(t, 422, "không đúng")
		_, rest, _ := strings.Cut(a.body, `id="fault"`)
		fault, _, _ := strings.Cut(rest, "<form")
		bodies = append(bodies, fault)
	}
	for _, b := range bodies {
		if b != bodies[0] {
			t.Errorf("answers differ:\n%s\n%s", bodies[0], b)
		}
	}
}

func TestFiveFailuresLockForAQuarterOfAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	s := w.users["van.thu"]
	p := w.person()
	for range 5 {
		p.tryToSignIn("van.thu", "sai", "").want(t, 422)
	}
	p.tryToSignIn("van.thu", s.password, w.code("van.thu")).want(t, 422)
	w.ahead.Add(int64(lockFor + time.Minute))
	p.tryToSignIn("van.thu", s.password, w.code("van.thu")).want(t, 303)
}

func TestManyNamesFromOneAddressAreSlowedDown(t *testing.T) {
	t.Parallel()
	g := newGuesses()
	now := time.Now()
	for range guessBurst {
		if !g.allow("10.0.0.1", now) {
			t.Fatal("slowed down too early")
		}
	}
	if g.allow("10.0.0.1", now) || !g.allow("10.0.0.2", now) || !g.allow("10.0.0.1", now.Add(guessEvery)) {
		t.Error("the allowance is not by address and time")
	}
}

func TestIdleSessionsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	clerk, operator := w.signIn("van.thu"), w.signIn("van.hanh")
	w.ahead.Add(int64(4 * time.Minute))
	operator.get("/").want(t, 200)
	clerk.get("/").want(t, 200)
	w.ahead.Add(int64(6 * time.Minute))
	operator.get("/").want(t, 303)
	clerk.get("/").want(t, 200)
	w.ahead.Add(int64(16 * time.Minute))
	clerk.get("/").want(t, 303)
}

func TestOneTimePasswordMustBeChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	once := NewPassword()
	check(t, w.store.AddUser(t.Context(), storage.User{Name: "moi", Role: storage.Clerk, Agencies: testUsers[3].Agencies,
		Password: must[string](t)(HashPassword(once)), OneTime: true}, "test", time.Now()))
	p, other := w.person(), w.person()
	if to := p.tryToSignIn("moi", once, "").want(t, 303).Header.Get("Location"); to != "/password" {
		t.Errorf("went on to %q", to)
	}
	other.tryToSignIn("moi", once, "").want(t, 303)
	for _, path := range []string{"/", "/sent", "/dispatches/x"} {
		if to := p.get(path).want(t, 303).Header.Get("Location"); to != "/password" {
			t.Errorf("%s leads to %q", path, to)
		}
	}
	p.get("/password").want(t, 200, "chỉ dùng được một lần", "14 ký tự")
	change := func(current, wanted, again string) answer {
		return p.do("POST", "/password", url.Values{"current": {current}, "new": {wanted}, "again": {again}})
	}
	change("sai", "mưa rơi trên phố cũ", "mưa rơi trên phố cũ").want(t, 422, "hiện tại không đúng")
	change(once, "ngắn quá", "ngắn quá").want(t, 422, "ít nhất 14 ký tự")
	change(once, "mưa rơi trên phố cũ", "mưa rơi trên phố").want(t, 422, "không giống nhau")
	change(once, once, once).want(t, 422, "phải khác")
	change(once, "aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa").want(t, 422, "dễ đoán")
	change(once, "matkhau123456789!", "matkhau123456789!").want(t, 422, "dễ đoán")
	change(once, "mưa rơi trên phố cũ", "mưa rơi trên phố cũ").want(t, 303)
	p.get("/?done=password").want(t, 200, "Đã đổi mật khẩu")
	other.get("/password").want(t, 303) // its password is no more
	w.person().tryToSignIn("moi", once, "").want(t, 422)
}

func TestWhoAdministersNeedsACode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, role := range []storage.Role{storage.Operator, storage.Authority, storage.Administrator} {
		once := NewPassword()
		check(t, w.store.AddUser(t.Context(), storage.User{Name: "a-" + string(role), Role: role,
			Password: must[string](t)(HashPassword(once))}, "test", time.Now()))
		w.person().tryToSignIn("a-"+string(role), once, "").want(t, 422)
	}
}

func TestFormsOfOtherSitesAreRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.signIn("quan.tri")
	for _, header := range [][]string{{"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}, {"Origin", "https://evil.example"}} {
		p.do("POST", "/sign-out", url.Values{}, header...).want(t, 403, "từ một trang khác")
	}
	p.do("POST", "/language", url.Values{"lang": {"en"}, "to": {"/sent?state=held"}}, "Sec-Fetch-Site", "same-origin").want(t, 303)
	p.get("/").want(t, 200, "Overview", `lang="en"`)
}

func TestOnlyLocalPathsAreGoneOnTo(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"/sent?a=b": "/sent?a=b", "": "/", "sent": "/", "//evil.example/": "/", `/\evil.example`: "/", "https://evil.example/": "/",
		"/a//b": "/a//b", "javascript:alert(1)": "/", "/\r\nX: y": "/", "/%0d%0a": "/%0d%0a", "/x#y": "/x", "///evil.example": "/",
	} {
		if got := localPath(given); got != want {
			t.Errorf("%q gives %q, want %q", given, got, want)
		}
	}
}

// roleMatrix says for every route which roles get past its guard; a new route or role must be written here.
var roleMatrix = map[string]string{
	"GET /static/{name}": "everybody", "POST /language": "everybody", "GET /sign-in": "everybody", "POST /sign-in": "everybody", "GET /{path...}": "everybody",
	"POST /sign-out": "operator authority administrator clerk auditor", "GET /password": "operator authority administrator clerk auditor",
	"POST /password": "operator authority administrator clerk auditor", "GET /{$}": "operator authority administrator clerk auditor",
	"GET /sent": "operator administrator clerk auditor", "GET /received": "operator administrator clerk auditor",
	"GET /dispatches/{id}": "operator administrator clerk auditor", "GET /deliveries/{id}": "operator administrator clerk auditor",
	"GET /dispatches/{id}/release": "operator administrator", "POST /dispatches/{id}/release": "operator administrator",
	"GET /dispatches/{id}/verification": "administrator clerk",
	"GET /dispatches/{id}/proof":        "administrator clerk", "GET /dispatches/{id}/attachments/{n}": "administrator clerk",
	"GET /deliveries/{id}/attachments/{n}": "administrator clerk",
	"GET /strays":                          "operator auditor", "POST /strays/{id}/close": "operator",
}

func TestRoleMatrix(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	people := map[storage.Role]*person{"": w.person()}
	for _, u := range testUsers {
		if people[u.Role] == nil {
			people[u.Role] = w.signIn(u.Name)
		}
	}
	for _, r := range routes {
		want, ok := roleMatrix[r.method+" "+r.path]
		if !ok {
			t.Errorf("%s %s is not in the matrix", r.method, r.path)
			continue
		}
		if r.path == "/sign-out" {
			continue // it would end the sessions; TestSignIn uses it
		}
		path := strings.NewReplacer("{id}", "00000000-0000-7000-8000-000000000000", "{n}", "1", "{name}", "none", "{$}", "", "{path...}", "none").Replace(r.path)
		if strings.HasPrefix(path, "/deliveries/") {
			path = strings.Replace(path, "000000000000", "000000000000.1", 1)
		}
		for role, p := range people {
			var form url.Values
			if r.method == "POST" {
				form = url.Values{}
			}
			a := p.do(r.method, path, form)
			turned := a.StatusCode == http.StatusSeeOther && strings.HasPrefix(a.Header.Get("Location"), "/sign-in") || a.StatusCode == http.StatusForbidden
			may := want == "everybody" || role != "" && strings.Contains(want, string(role))
			if turned == may {
				t.Errorf("%s %s for %q: status %d to %q, want let in: %v", r.method, r.path, role, a.StatusCode, a.Header.Get("Location"), may)
			}
		}
	}
}
