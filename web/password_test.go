package web

import (
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"
)

func TestPasswordRoundTrip(t *testing.T) {
	t.Parallel()
	plain := NewPassword()
	if len(plain) < 14 {
		t.Fatalf("one-time password %q is shorter than 14 characters", plain)
	}
	hash, err := HashPassword(plain)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("hash %q is not in PHC form", hash)
	}
	if !CheckPassword(hash, plain) {
		t.Error("the right password does not fit")
	}
	for _, wrong := range []string{"", plain + "x", strings.ToUpper(plain), strings.Repeat("x", 300)} {
		if CheckPassword(hash, wrong) {
			t.Errorf("%q fits", wrong)
		}
	}
}

func TestPasswordHashesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	good, err := HashPassword("mật khẩu rất dài")
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", "x", "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$a2V5", strings.Replace(good, "m=19456", "m=4000000000", 1),
		strings.Replace(good, "t=2", "t=0", 1), strings.Replace(good, "v=19", "v=18", 1), good + "$", good[:len(good)-2] + "!!"} {
		if CheckPassword(bad, "mật khẩu rất dài") {
			t.Errorf("hash %q fits", bad)
		}
	}
	if _, err := HashPassword(""); err == nil {
		t.Error("an empty password was hashed")
	}
}

func TestTOTPCountsOneStepBeside(t *testing.T) {
	t.Parallel()
	secret, uri, err := NewTOTP("van.thu")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(uri, "otpauth://totp/") || !strings.Contains(uri, secret) {
		t.Errorf("uri %q", uri)
	}
	at := time.Date(2026, 10, 31, 23, 59, 59, 0, time.UTC)
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		ok    bool
	}{{0, true}, {30 * time.Second, true}, {-30 * time.Second, true}, {90 * time.Second, false}, {-90 * time.Second, false}} {
		step, ok := CheckTOTP(secret, code[:3]+" "+code[3:], at.Add(c.after))
		if ok != c.ok || ok && step != at.Unix()/30 {
			t.Errorf("after %v: step %d, ok %v; want %v", c.after, step, ok, c.ok)
		}
	}
	for _, bad := range []string{"", "12345", "1234567", "abcdef"} {
		if _, ok := CheckTOTP(secret, bad, at); ok {
			t.Errorf("code %q counts", bad)
		}
	}
	if _, ok := CheckTOTP("not base32!", code, at); ok {
		t.Error("a secret that cannot be read fits")
	}
}
