package web

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/truc-lienthong/truc/storage"
)

// Lengths in characters: 14 without a second factor, 8 with one (TCVN 14423:2026, 5.6.2.2).
const (
	shortestAlone    = 14
	shortestWithCode = 8
)

// passwordPage is the form that changes a password.
type passwordPage struct {
	OneTime  bool // the one at hand was for one sign-in
	Shortest int
	Fault    phrase
}

var passwordTitle = phrase{"Đổi mật khẩu", "Change your password"}

func (s *site) passwordForm(q *request) passwordPage {
	return passwordPage{OneTime: q.viewer.OneTime, Shortest: shortest(q.viewer.User)}
}

func shortest(u storage.User) int {
	if len(u.TOTP) > 0 {
		return shortestWithCode
	}
	return shortestAlone
}

func (s *site) getPassword(q *request) error {
	s.show(q, http.StatusOK, "password", passwordTitle, s.passwordForm(q))
	return nil
}

func (s *site) postPassword(q *request) error {
	form := s.passwordForm(q)
	current, wanted := q.PostFormValue("current"), q.PostFormValue("new")
	if form.Fault = s.passwordFault(q, current, wanted); form.Fault != (phrase{}) {
		s.show(q, http.StatusUnprocessableEntity, "password", passwordTitle, form)
		return nil
	}
	hash, err := HashPassword(wanted)
	if err != nil {
		return err
	}
	if err := s.Store.ChangePassword(q.Context(), q.viewer.Name, hash, q.ip(), s.Now()); err != nil {
		return err
	}
	u := q.viewer.User
	u.Password = hash
	if err := s.begin(q, u); err != nil { // a new session; the others ended with the old password
		return err
	}
	q.redirect("/?done=password")
	return nil
}

func (s *site) passwordFault(q *request, current, wanted string) phrase {
	if !s.guesses.allow(q.ip(), s.Now()) {
		return signInTooOften
	}
	if !CheckPassword(q.viewer.Password, current) {
		return phrase{"Mật khẩu hiện tại không đúng.", "The current password is not right."}
	}
	if wanted != q.PostFormValue("again") {
		return phrase{"Hai lần nhập mật khẩu mới không giống nhau.", "The two new passwords differ."}
	}
	if wanted == current {
		return phrase{"Mật khẩu mới phải khác mật khẩu hiện tại.", "The new password must differ from the current one."}
	}
	return PasswordFault(wanted, q.viewer.Name, shortest(q.viewer.User))
}

// PasswordFault says what is wrong with a password for a user; the zero phrase when nothing is. Length is what counts;
// beyond it only what is guessed first is refused.
func PasswordFault(plain, name string, shortest int) phrase {
	lower := strings.ToLower(plain)
	switch {
	case utf8.RuneCountInString(plain) < shortest:
		return phrase{"Mật khẩu mới phải có ít nhất " + number(shortest) + " ký tự.", "The new password needs at least " + number(shortest) + " characters."}
	case len(plain) > LongestPassword:
		return phrase{"Mật khẩu mới quá dài.", "The new password is too long."}
	case len(name) > 3 && strings.Contains(lower, strings.ToLower(name)):
		return phrase{"Mật khẩu mới không được chứa tên đăng nhập.", "The new password must not contain your name."}
	case distinct(lower) < 5 || guessable(lower):
		return phrase{"Mật khẩu mới quá dễ đoán.", "The new password is too easy to guess."}
	}
	return phrase{}
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// guessable knows what people type first; digits and marks around it do not help.
func guessable(lower string) bool {
	core := strings.Trim(lower, "0123456789!@#$%^&*()._- ")
	switch core {
	case "", "password", "matkhau", "mậtkhẩu", "mật khẩu", "abc", "qwerty", "qwertyuiop", "admin", "administrator", "vanthu", "vietnam", "truc":
		return true
	}
	return false
}
