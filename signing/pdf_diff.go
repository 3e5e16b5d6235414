package signing

import (
	"bytes"
	"errors"
)

// step is what one revision did to the document before it.
type step struct {
	stamps   bool     // added validation data (DSS) or document timestamps
	signed   bool     // added signature fields or signed them
	visible  bool     // of those, a widget that shows
	filled   bool     // filled in form fields
	names    []string // of those fields
	marks    bool     // laid annotations or other fields over a page, or attached files
	appended bool     // appended content to a page, leaving what was there
	changed  bool     // anything else
	unknown  bool     // could not be read

	drawn []Mark // what of it shows, where
}

func (s step) additions() bool { return s.marks || s.appended }

// classify says of each signature what was done after it (R78), and judges that.
func (d *pdfDoc) classify(list []*pdfSignature) {
	last := 0
	for _, s := range list {
		if s.end > 0 {
			s.revision = d.signedRevision(s.end)
			d.permissions(s)
			last = max(last, s.revision)
		}
	}
	steps := d.steps(last, list)
	for i := len(list) - 1; i >= 0; i-- { // the last first: an earlier one may lean on what is found of it
		s := list[i]
		if s.removed {
			s.report.Reasons = addReason(s.report.Reasons, SignatureRemoved)
			s.report.After = AfterChanged
		} else if s.stray {
			s.report.Reasons = addReason(s.report.Reasons, SignatureOutsideForm)
		}
		if s.end > 0 {
			d.after(s, list, steps)
		}
		s.report.settle()
	}
}

// signedRevision finds the section that was the newest when the file ended at end; -1 when the bytes up to there are no
// complete file that the present chain goes back to.
func (d *pdfDoc) signedRevision(end int64) int {
	at, _, err := d.startxref(end)
	if err != nil {
		return -1
	}
	for i, s := range d.sections {
		if s.at == at {
			return i
		}
	}
	return -1
}

// steps judges the revisions newer than section last: steps[i] is what section i did.
func (d *pdfDoc) steps(last int, list []*pdfSignature) []step {
	out := make([]step, last)
	if last == 0 {
		return out
	}
	p := &past{doc: d, list: list, steps: out}
	err := p.read(last)
	if err == nil {
		err = p.unlisted(last)
	}
	for i := last - 1; i >= 0; i-- {
		if err != nil {
			out[i].unknown = true
			continue
		}
		c := comparison{old: d.view(i + 1), new: d.view(i), section: d.sections[i], use: p.use, list: list}
		if e := c.run(); e != nil {
			c.step.unknown = true
			c.step.changed = c.step.changed || isPDFSyntax(e)
		}
		c.step.changed = c.step.changed || out[i].changed
		c.step.unknown = c.step.unknown || out[i].unknown
		c.step.marks = c.step.marks || out[i].marks
		out[i] = c.step
		err = p.advance(i)
		for _, num := range c.freed {
			out[i].changed = out[i].changed || p.use.count[num] > 0 // something still wants it
		}
	}
	return out
}

func isPDFSyntax(err error) bool { return errors.Is(err, errPDFSyntax) }

// after sets After of one signature from the steps behind it.
func (d *pdfDoc) after(s *pdfSignature, list []*pdfSignature, steps []step) {
	r := &s.report
	if r.After == "" {
		r.After = AfterNothing
	}
	if d.rebuilt && s.revision < 0 && (s.end == d.size || d.clean) {
		if s.end < d.size {
			d.spoil(r, RevisionUnreadable, AfterAdditions)
		}
		return
	}
	if s.end < d.size && (s.revision <= 0 || !d.clean) {
		d.spoil(r, ChangedAfterSigning, AfterChanged)
		return
	}
	if s.revision < 0 {
		d.spoil(r, ByteRangeForged, AfterChanged) // the file ended at end, but not as a file does
		return
	}
	if e, ok := d.view(s.revision).entry(s.field.holder.num); !ok || e != s.field.at {
		d.spoil(r, ByteRangeForged, AfterChanged) // what was signed then did not hold this signature
		return
	}
	for i := s.revision - 1; i >= 0; i-- {
		d.weighStep(s, list, steps[i], i)
	}
}

// weighStep applies one later revision to a signature.
func (d *pdfDoc) weighStep(s *pdfSignature, list []*pdfSignature, st step, i int) {
	r := &s.report
	covered := coveredBy(list, i)
	extra := st.additions() || st.filled && s.docMDP == 0
	switch {
	case st.changed, s.forbids(st), st.appended && covered == "":
		d.spoil(r, ChangedAfterSigning, AfterChanged)
	case st.unknown:
		d.spoil(r, RevisionUnreadable, AfterAdditions)
	case (extra || st.visible) && covered == "":
		d.spoil(r, AdditionsUncovered, AfterAdditions)
	case extra && covered != AdditionsCovered:
		d.spoil(r, covered, AfterAdditions)
	case extra:
		d.spoil(r, AdditionsCovered, AfterAdditions)
	case st.filled:
		d.spoil(r, FormFilled, AfterAllowed)
	default:
		r.After = laterAfter(r.After, AfterSignatures)
	}
	r.Marks = append(r.Marks, st.drawn[:min(len(st.drawn), maxMarks-len(r.Marks))]...)
}

// forbids says whether a signature rules out what was done after it (ISO 32000-2, 12.8.2.2 and 12.8.2.4). Validation data
// and document timestamps are never ruled out.
func (s *pdfSignature) forbids(st step) bool {
	switch {
	case s.docMDP == 1 && (st.filled || st.signed || st.additions()), s.docMDP == 2 && st.additions():
		return true
	}
	for _, name := range st.names {
		for _, l := range s.locks {
			if l.holds(name) {
				return true
			}
		}
	}
	return false
}

func (d *pdfDoc) spoil(r *SignatureReport, why Reason, after After) {
	r.Reasons = addReason(r.Reasons, why)
	r.After = laterAfter(r.After, after)
}

// laterAfter keeps the graver of two findings.
func laterAfter(a, b After) After {
	rank := map[After]int{AfterNothing: 0, AfterSignatures: 1, AfterAllowed: 2, AfterAdditions: 3, AfterChanged: 4}
	if rank[b] > rank[a] {
		return b
	}
	return a
}

// coveredBy says what the signatures made with section i or later make of additions in it: AdditionsCovered when a valid one
// is an agency's, which vouches for the document as issued; another word while that is open; "" when there is none.
func coveredBy(list []*pdfSignature, i int) Reason {
	var best Reason
	for _, s := range list {
		if s.end == 0 || s.revision < 0 || s.revision > i || s.report.Kind == "timestamp" || s.removed {
			continue
		}
		switch v := vouches(s.report.Reasons); {
		case v == Valid && s.report.Role != RolePerson:
			return AdditionsCovered
		case v == Valid:
			best = AdditionsByPerson
		case v == Undetermined && best == "":
			best = AdditionsUnproven
		}
	}
	return best
}

// vouches decides on a signature as far as it concerns what was there when it was made: marks that came still later and are
// open take nothing from it.
func vouches(reasons []Reason) Verdict {
	var own []Reason
	for _, r := range reasons {
		if r != AdditionsUncovered && r != AdditionsUnproven && r != AdditionsByPerson {
			own = append(own, r)
		}
	}
	v, _ := decide(own)
	return v
}

// endsCleanly says that nothing follows the last revision's %%EOF but one end of line, and that its startxref is where and as
// every reader wants it: some do not look further than 1024 bytes back.
func (d *pdfDoc) endsCleanly() bool {
	from, err := d.lastStartxref(d.size)
	if err != nil || from < d.size-1024 {
		return false
	}
	rest, err := d.bytes(from, d.size-from)
	if err != nil {
		return false
	}
	number, rest, ok := bytes.Cut(rest[len("startxref"):], []byte("%%EOF"))
	if !ok || len(bytes.Trim(bytes.TrimSpace(number), "0123456789")) > 0 {
		return false
	}
	switch string(rest) {
	case "", "\n", "\r", "\r\n":
		return true
	}
	return false
}
