package routing

import "fmt"

// Urgency is the độ khẩn of a document; a higher one is sent first (R10).
type Urgency int8

// The marks of NĐ 30/2020, PL I.
const (
	Normal     Urgency = iota
	Urgent             // KHẨN
	VeryUrgent         // THƯỢNG KHẨN
	Express            // HỎA TỐC
)

var urgencies = [...]struct{ text, vi, en string }{
	Normal:     {"normal", "Thường", "Normal"},
	Urgent:     {"urgent", "KHẨN", "Urgent"},
	VeryUrgent: {"very_urgent", "THƯỢNG KHẨN", "Very urgent"},
	Express:    {"express", "HỎA TỐC", "Express"},
}

// ParseUrgency reads "normal", "urgent", "very_urgent" or "express"; empty is Normal.
func ParseUrgency(s string) (Urgency, error) {
	if s == "" {
		return Normal, nil
	}
	for u, w := range urgencies {
		if w.text == s {
			return Urgency(u), nil
		}
	}
	return Normal, fmt.Errorf("urgency %q is none of normal, urgent, very_urgent, express", show(s))
}

// Known says whether u is one of the four.
func (u Urgency) Known() bool { return u >= Normal && int(u) < len(urgencies) }

// String gives the text form, as ParseUrgency reads it.
func (u Urgency) String() string {
	if !u.Known() {
		return fmt.Sprintf("urgency(%d)", int8(u))
	}
	return urgencies[u].text
}

// LabelVI gives the mark as the law writes it, "Thường" for none.
func (u Urgency) LabelVI() string {
	if !u.Known() {
		return u.String()
	}
	return urgencies[u].vi
}

// LabelEN gives the same in English.
func (u Urgency) LabelEN() string {
	if !u.Known() {
		return u.String()
	}
	return urgencies[u].en
}

// MarshalText gives the text form, for JSON and options.
func (u Urgency) MarshalText() ([]byte, error) {
	if !u.Known() {
		return nil, fmt.Errorf("no such urgency: %d", int8(u))
	}
	return []byte(u.String()), nil
}

// UnmarshalText reads the text form.
func (u *Urgency) UnmarshalText(b []byte) error {
	read, err := ParseUrgency(string(b))
	if err != nil {
		return err
	}
	*u = read
	return nil
}
