package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

// lang is the language of a page.
type lang int

// Vietnamese is the zero value: what nobody chose is in Vietnamese (R113).
const (
	vietnamese lang = iota
	english
)

const langCookie = "truc_lang"

// langOf reads the switch; only a choice turns pages English, never the browser's own setting.
func langOf(r *http.Request) lang {
	if c, err := r.Cookie(langCookie); err == nil && c.Value == "en" {
		return english
	}
	return vietnamese
}

// String gives the language's code for HTML.
func (l lang) String() string {
	if l == english {
		return "en"
	}
	return "vi"
}

// phrase is a sentence in both languages.
type phrase struct{ VI, EN string }

// In gives the phrase in a language.
func (p phrase) In(l lang) string {
	if l == english && p.EN != "" {
		return p.EN
	}
	return p.VI
}

func (s *site) postLanguage(q *request) error {
	value := "vi"
	if q.PostFormValue("lang") == "en" {
		value = "en"
	}
	http.SetCookie(q.w, &http.Cookie{Name: langCookie, Value: value, Path: "/", MaxAge: 365 * 24 * 3600,
		HttpOnly: true, Secure: s.Secure, SameSite: http.SameSiteLaxMode})
	q.redirect(localPath(q.PostFormValue("to")))
	return nil
}

// Dates and numbers as Vietnamese offices write them, in both languages: a date that reads 03/04 must not change its
// meaning with a switch.
const (
	momentForm = "02/01/2006 15:04:05"
	dayForm    = "02/01/2006"
)

// moment shows an instant in Vietnam's time.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.In(storage.Vietnam).Format(momentForm)
}

// day shows a date that has no time of day.
func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(dayForm)
}

// machine is the form of a time for <time datetime>.
func machine(t time.Time) string { return t.In(storage.Vietnam).Format(time.RFC3339) }

// number writes 1234567 as 1.234.567.
func number[T int | int64](n T) string {
	digits := strconv.FormatInt(int64(n), 10)
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte('.')
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// size writes bytes as people say them, with a decimal comma.
func size(n int64) string {
	value, unit := float64(n), "B"
	for _, u := range []string{"kB", "MB", "GB", "TB"} {
		if value < 1000 {
			break
		}
		value, unit = value/1000, u
	}
	if unit == "B" {
		return strconv.FormatInt(n, 10) + " B"
	}
	precision := 0
	if value < 10 {
		precision = 1
	}
	return strings.Replace(strconv.FormatFloat(value, 'f', precision, 64), ".", ",", 1) + " " + unit
}

// ago says how long something lasts, in its two largest units.
func ago(d time.Duration) phrase {
	switch {
	case d < time.Minute:
		return phrase{"dưới 1 phút", "less than a minute"}
	case d < time.Hour:
		return plural(int(d/time.Minute), "phút", "minute")
	case d < 24*time.Hour:
		return joined(plural(int(d/time.Hour), "giờ", "hour"), plural(int(d%time.Hour/time.Minute), "phút", "minute"))
	}
	return joined(plural(int(d/(24*time.Hour)), "ngày", "day"), plural(int(d%(24*time.Hour)/time.Hour), "giờ", "hour"))
}

func plural(n int, vi, en string) phrase {
	if n == 0 {
		return phrase{}
	}
	p := phrase{number(n) + " " + vi, number(n) + " " + en}
	if n != 1 {
		p.EN += "s"
	}
	return p
}

func joined(a, b phrase) phrase {
	return phrase{strings.TrimSpace(a.VI + " " + b.VI), strings.TrimSpace(a.EN + " " + b.EN)}
}
