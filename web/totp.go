package web

import (
	"crypto/subtle"
	"fmt"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/pquerna/otp/totp"
)

// The codes of RFC 6238 as every authenticator app makes them: SHA-1, six digits, a new one every 30 seconds.
const (
	totpPeriod = 30 // seconds
	totpSkew   = 1  // steps before and after that also count: clocks differ, people type slowly
)

// NewTOTP makes a secret for a user: secret in base32 to type, uri (otpauth://) for a QR code.
func NewTOTP(user string) (secret, uri string, err error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: "Trục liên thông", AccountName: user, Period: totpPeriod, SecretSize: 20,
		Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return "", "", fmt.Errorf("make a TOTP secret: %w", err)
	}
	return key.Secret(), key.URL(), nil
}

// CheckTOTP says whether code (spaces allowed) belongs to secret (base32) at now or one step beside it. step is the time
// step that the code belongs to: the caller accepts each step once, so that a code that was overseen is worth nothing.
func CheckTOTP(secret, code string, now time.Time) (step int64, ok bool) {
	code = strings.Map(dropSpace, code)
	if len(code) != 6 {
		return 0, false
	}
	current := now.Unix() / totpPeriod
	for s := current - totpSkew; s <= current+totpSkew; s++ {
		if s < 0 {
			continue
		}
		want, err := hotp.GenerateCodeCustom(secret, uint64(s), hotp.ValidateOpts{Digits: otp.DigitsSix, Algorithm: otp.AlgorithmSHA1})
		if err != nil {
			return 0, false
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, ok = s, true // no early return: the time does not tell which step fitted
		}
	}
	return step, ok
}

func dropSpace(r rune) rune {
	if r == ' ' || r == '\u00a0' || r == '\t' {
		return -1
	}
	return r
}
