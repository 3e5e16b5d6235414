package signing

// Reason is one finding, as a word that never changes its meaning. Reasons lists them all with their sentences.
type Reason string

// ReasonText explains a Reason. Verdict is what the reason alone makes of a signature: Valid marks a mere warning.
type ReasonText struct {
	Word    Reason  `json:"word"`
	Verdict Verdict `json:"verdict"`
	Clause  string  `json:"clause"` // the article or section that asks for the check
	VI      string  `json:"vi"`
	EN      string  `json:"en"`
}

// Reasons gives every reason that a report can hold, in a fixed order.
func Reasons() []ReasonText {
	return append([]ReasonText(nil), reasonTexts...)
}

// Text gives the sentence of a reason; an unknown word gives itself, undetermined.
func (r Reason) Text() ReasonText {
	if t, ok := reasonIndex[r]; ok {
		return t
	}
	return ReasonText{Word: r, Verdict: Undetermined, VI: string(r), EN: string(r)}
}

// Of gives what the reason alone makes of a signature.
func (r Reason) Of() Verdict { return r.Text().Verdict }

var reasonIndex = indexReasons()

func indexReasons() map[Reason]ReasonText {
	m := make(map[Reason]ReasonText, len(reasonTexts))
	for _, t := range reasonTexts {
		m[t.Word] = t
	}
	return m
}

// decide gives the verdict that a list of reasons makes, and the reason that decided it: the first of the worst.
func decide(reasons []Reason) (Verdict, Reason) {
	verdict, why := Valid, Reason("")
	for _, r := range reasons {
		of := r.Of()
		if w := worse(verdict, of); w != verdict {
			verdict, why = w, r
		}
	}
	return verdict, why
}

// addReason appends r unless it is there already.
func addReason(list []Reason, r Reason) []Reason {
	for _, have := range list {
		if have == r {
			return list
		}
	}
	return append(list, r)
}
