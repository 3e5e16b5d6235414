package web

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"golang.org/x/crypto/argon2"
)

// The cost of a password's hash: 19 MiB and two passes, OWASP's first choice for argon2id. It is small enough that the
// few sign-ins that hashing lets through at once (see hashing) cannot exhaust a small server.
const (
	argonTime    = 2
	argonMemory  = 19 * 1024 // KiB
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16
)

// hashing bounds how many passwords are hashed at once: sign-in is open to strangers, and each hash takes argonMemory.
var hashing = make(chan struct{}, 4)

// LongestPassword bounds what is hashed, in bytes.
const LongestPassword = 256

// HashPassword returns the argon2id hash of a password in PHC form ($argon2id$v=19$m=…,t=…,p=…$salt$hash). It refuses
// an empty password and one longer than LongestPassword bytes; whether it is good enough is for PasswordProblem to say.
func HashPassword(plain string) (string, error) {
	if plain == "" || len(plain) > LongestPassword {
		return "", fmt.Errorf("a password has 1 to %d bytes", LongestPassword)
	}
	salt := make([]byte, argonSalt)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("make a salt: %w", err)
	}
	p := phc{memory: argonMemory, time: argonTime, threads: argonThreads, salt: salt}
	p.key = p.derive(plain, argonKey)
	return p.String(), nil
}

// CheckPassword says whether plain is the password of hash. A hash that cannot be read fits no password.
func CheckPassword(hash, plain string) bool {
	p, err := parsePHC(hash)
	if err != nil || len(plain) > LongestPassword {
		return false
	}
	return subtle.ConstantTimeCompare(p.key, p.derive(plain, len(p.key))) == 1
}

// phc is a hash in the PHC string format.
type phc struct {
	memory, time uint32
	threads      uint8
	salt, key    []byte
}

func (p phc) derive(plain string, size int) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(plain), p.salt, p.time, p.memory, p.threads, uint32(size))
}

func (p phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads,
		b64.EncodeToString(p.salt), b64.EncodeToString(p.key))
}

var errPHC = errors.New("not an argon2id hash in PHC form")

// parsePHC reads a hash and bounds what it asks for, so that a damaged row cannot ask for all memory.
func parsePHC(hash string) (phc, error) {
	var p phc
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, errPHC
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return p, errPHC
	}
	if p.memory < 8 || p.memory > 256*1024 || p.time < 1 || p.time > 16 || p.threads < 1 || p.threads > 16 {
		return p, errPHC
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(p.salt) < 8 {
		return p, errPHC
	}
	if p.key, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(p.key) < 16 || len(p.key) > 128 {
		return p, errPHC
	}
	return p, nil
}

// passwordLetters leave out what is easily misread (0 o, 1 l i), so that a password can be dictated and typed from paper.
const passwordLetters = "abcdefghjkmnpqrstuvwxyz23456789"

// NewPassword returns a one-time password of four groups of four, such as "k7mw-2hqe-x4tz-9bnv": 19 characters, 79 bits.
func NewPassword() string {
	var b strings.Builder
	for i := range 16 {
		if i > 0 && i%4 == 0 {
			b.WriteByte('-')
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(passwordLetters))))
		if err != nil {
			panic("web: the system has no randomness: " + err.Error())
		}
		b.WriteByte(passwordLetters[n.Int64()])
	}
	return b.String()
}
