package signing

import (
	"fmt"
	"strings"
	"time"
)

// verdictNames are the words of the law's form (regulation 7.3).
var verdictNames = map[Verdict]Sentence{
	Valid:        {"Hợp lệ", "Valid"},
	Invalid:      {"Không hợp lệ", "Not valid"},
	Undetermined: {"Chưa xác định", "Undetermined"},
	Unsigned:     {"Không có chữ ký số", "No digital signature"},
}

var roleNames = map[Role]Sentence{
	RolePerson:   {"người có thẩm quyền", "competent person"},
	RoleAgency:   {"cơ quan, tổ chức", "agency"},
	RoleCopy:     {"cơ quan sao văn bản", "agency that made the copy"},
	RoleAppendix: {"cơ quan, trên phụ lục", "agency, on the appendix"},
}

// integrity is what the clerk reads of the document's wholeness; the wording is that of the tools in use.
var integrity = map[After]Sentence{
	AfterNothing:    {"Nội dung đã ký số chưa bị thay đổi.", "The signed content is unchanged."},
	AfterSignatures: {"Nội dung đã ký số chưa bị thay đổi.", "The signed content is unchanged."},
	AfterAllowed: {"Nội dung đã ký số chưa bị thay đổi. Tuy nhiên, tài liệu đã có những thay đổi trong giới hạn cho phép.",
		"The signed content is unchanged; the document has changes within what is allowed."},
	AfterAdditions: {"Nội dung đã ký số chưa bị thay đổi. Tuy nhiên, tài liệu đã có bổ sung sau khi ký.",
		"The signed content is unchanged; something was added after signing."},
	AfterChanged: {"Tài liệu đã bị thay đổi.", "The document was changed."},
}

func (a Sentence) join(b Sentence) Sentence {
	return Sentence{strings.TrimSpace(a.VI + " " + b.VI), strings.TrimSpace(a.EN + " " + b.EN)}
}

func (a Sentence) stop() Sentence { return Sentence{a.VI + ".", a.EN + "."} }

// because joins a beginning with the sentence of the reason that decided.
func (a Sentence) because(why Reason) Sentence {
	if why == "" {
		return a.stop()
	}
	t := why.Text()
	return Sentence{a.VI + ": " + t.VI, a.EN + ": " + t.EN}
}

// sentence tells a clerk of one signature: whose, what it is worth, why, and when.
func (s SignatureReport) sentence() Sentence {
	who := Sentence{"Chữ ký số", "The signature"}
	if s.Kind == "timestamp" {
		who = Sentence{"Dấu thời gian của tài liệu", "The document's timestamp"}
	}
	if s.Signer != "" {
		who = who.join(Sentence{"của " + s.Signer, "of " + s.Signer})
	}
	if r, ok := roleNames[s.Role]; ok {
		who = who.join(Sentence{"(" + r.VI + ")", "(" + r.EN + ")"})
	}
	v := verdictNames[s.Verdict]
	out := who.join(Sentence{strings.ToLower(v.VI), "is " + strings.ToLower(v.EN)}).because(s.Reason)
	if s.Verdict == Valid {
		out = out.join(integrity[s.After])
	}
	return out.join(s.when())
}

// when says who vouches for the time; what the signer claims is called so (R74).
func (s SignatureReport) when() Sentence {
	switch {
	case s.TimeSource == TimeFromTimestamp:
		at := clock(s.Time)
		return Sentence{"Dấu thời gian: " + at + ".", "Timestamp: " + at + "."}
	case !s.Claimed.IsZero():
		at := clock(s.Claimed)
		return Sentence{"Thời điểm do người ký khai: " + at + ".", "Time claimed by the signer: " + at + "."}
	}
	return Sentence{}
}

// clock is Vietnam's time, in which every clerk reads; it has had no summer time since 1975.
func clock(t time.Time) string {
	return t.In(time.FixedZone("+07", 7*60*60)).Format("15:04:05 02/01/2006 -07:00")
}

// sentence tells of a file: its verdict and what decided it, then what is missing.
func (r FileReport) sentence() Sentence {
	v := verdictNames[r.Verdict]
	out := v.stop()
	switch r.Verdict {
	case Valid:
		stamps := 0
		for _, s := range r.Signatures {
			if s.Kind == "timestamp" {
				stamps++
			}
		}
		n := len(r.Signatures) - stamps
		out = Sentence{fmt.Sprintf("%s: %d chữ ký số", v.VI, n), fmt.Sprintf("%s: %s", v.EN, count(n, "signature"))}
		if stamps > 0 {
			out = Sentence{fmt.Sprintf("%s, %d dấu thời gian của tài liệu", out.VI, stamps),
				fmt.Sprintf("%s, %s", out.EN, count(stamps, "document timestamp"))}
		}
		out = out.stop()
	case Invalid, Undetermined:
		out = v.because(r.Reason)
	}
	for _, why := range r.Reasons {
		if asked[why] {
			out = out.join(Sentence{why.Text().VI, why.Text().EN})
		}
	}
	return out
}

// asked are the warnings that a clerk must act on whatever the verdict: they stand in the file's sentence.
var asked = map[Reason]bool{PersonMissing: true, AgencyMissing: true, AppendixUnsealed: true, CopyUnsealed: true, SenderOther: true, NotOfficial: true}

func count(n int, of string) string {
	if n == 1 {
		return "1 " + of
	}
	return fmt.Sprintf("%d %ss", n, of)
}

// sentence tells of a dispatch: the first of its worst files decides.
func (r Report) sentence() Sentence {
	v := verdictNames[r.Verdict]
	for _, f := range r.Files {
		if f.Verdict == r.Verdict && r.Verdict != Valid && r.Verdict != Unsigned {
			return Sentence{v.VI + " (" + f.Name + ")", v.EN + " (" + f.Name + ")"}.because(f.Reason)
		}
	}
	if r.Verdict != Valid {
		return v.stop()
	}
	signed := 0
	for _, f := range r.Files {
		if f.Verdict == Valid {
			signed++
		}
	}
	return Sentence{fmt.Sprintf("%s: %d/%d tệp có chữ ký số.", v.VI, signed, len(r.Files)),
		fmt.Sprintf("%s: %d of %s signed.", v.EN, signed, count(len(r.Files), "file"))}
}
