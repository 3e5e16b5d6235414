package web

import (
	"errors"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// lockFor is how long five failures in a row lock a name (TCVN 14423:2026, 5.5.2.2).
const lockFor = 15 * time.Minute

// signInPage is the form and what was wrong with the last try.
type signInPage struct {
	Name  string
	Next  string
	Fault phrase
}

// One sentence for every cause: which names exist, are locked or have the wrong code is nobody's business.
var signInRefused = phrase{
	"Tên đăng nhập, mật khẩu hoặc mã xác thực không đúng. Sau 5 lần sai liên tiếp, tài khoản bị khóa 15 phút.",
	"The name, password or code is not right. After 5 failures in a row the account is locked for 15 minutes."}

var signInTooOften = phrase{
	"Có quá nhiều lần đăng nhập từ địa chỉ mạng này. Hãy thử lại sau một phút.",
	"Too many sign-ins from this network address. Please try again in a minute."}

var signInTitle = phrase{"Đăng nhập", "Sign in"}

func (s *site) getSignIn(q *request) error {
	next := localPath(q.URL.Query().Get("next"))
	if q.viewer != nil {
		q.redirect(next)
		return nil
	}
	s.show(q, http.StatusOK, "sign-in", signInTitle, signInPage{Next: next})
	return nil
}

func (s *site) postSignIn(q *request) error {
	form := signInPage{Name: strings.ToLower(strings.TrimSpace(q.PostFormValue("name"))), Next: localPath(q.PostFormValue("next"))}
	if !s.guesses.allow(q.ip(), s.Now()) {
		form.Fault = signInTooOften
		q.w.Header().Set("Retry-After", "60")
		s.show(q, http.StatusTooManyRequests, "sign-in", signInTitle, form)
		return nil
	}
	u, ok, err := s.checkSignIn(q, form.Name)
	if err != nil {
		return err
	}
	if !ok {
		form.Fault = signInRefused
		s.show(q, http.StatusUnprocessableEntity, "sign-in", signInTitle, form)
		return nil
	}
	if err := s.begin(q, u); err != nil {
		return err
	}
	if u.OneTime {
		form.Next = "/password"
	}
	q.redirect(form.Next)
	return nil
}

// userName is what a name may be; anything else is not even written to the audit as it came.
var userName = regexp.MustCompile(`^[0-9a-z._@-]{2,64}$`)

// checkSignIn goes the same way at the same cost whatever is wrong: a hash is computed for unknown and locked names too.
func (s *site) checkSignIn(q *request, name string) (storage.User, bool, error) {
	ctx, now := q.Context(), s.Now()
	if !userName.MatchString(name) {
		name = "?"
	}
	u, err := s.Store.User(ctx, name)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return u, false, err
	}
	known := err == nil && u.DisabledAt.IsZero() && !now.Before(u.LockedUntil)
	hash := s.decoy
	if known {
		hash = u.Password
	}
	ok := CheckPassword(hash, q.PostFormValue("password"))
	step, codeOK := s.checkCode(u, q.PostFormValue("code"), now)
	if ok = ok && known && codeOK; ok {
		// The step is used up in the database: of two requests with one code, one wins.
		ok, err = s.Store.SignedIn(ctx, name, step, q.ip(), now)
		if err != nil || ok {
			return u, ok, err
		}
	}
	return u, false, s.Store.FailedSignIn(ctx, name, q.ip(), now, now.Add(lockFor))
}

// checkCode judges the second factor. Who administers or runs the axis must have one (TCVN 14423:2026: from level 1).
func (s *site) checkCode(u storage.User, code string, now time.Time) (step int64, ok bool) {
	if len(u.TOTP) == 0 {
		return 0, u.Role == storage.Clerk || u.Role == storage.Auditor
	}
	secret, err := s.Key.Open(u.TOTP, storage.TOTPPurpose(u.Name))
	if err != nil {
		s.Log.Error("a TOTP secret cannot be opened", "user", u.Name, "err", err)
		return 0, false
	}
	return CheckTOTP(string(secret), code, now)
}

func (s *site) postSignOut(q *request) error {
	if err := s.sessions.Destroy(q.Context()); err != nil {
		return err
	}
	err := s.Store.Audit(q.Context(), storage.Event{At: s.Now(), Actor: q.viewer.Name, IP: q.ip(), Action: "user.signout", Object: q.viewer.Name})
	if err != nil {
		return err
	}
	q.redirect("/sign-in")
	return nil
}
