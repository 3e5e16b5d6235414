package server

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestRefusedMetadata(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "", small)
	long := func(n int) string { return strings.Repeat("ư", n) }
	field := func(name string, value any) map[string]any { return with(map[string]any{name: value}) }
	for _, c := range []struct {
		name   string
		meta   any
		status int
		code   string
		field  string
		say    []string // in both languages
	}{
		{"recipient unknown, with a suggestion", field("recipients", []string{"H26", "H29.13"}), 422, "recipients", "recipients", []string{"H29.13", "H29.12"}},
		{"recipient closed, with its successor", field("recipients", []string{"H54"}), 422, "recipients", "recipients", []string{"H54", "H31", "QĐ 09/2025/QĐ-TTg"}},
		{"recipient closed, old form", field("recipients", []string{"000.00.00.H54"}), 422, "recipients", "recipients", []string{"000.00.00.H54", "H31"}},
		{"recipient locked", field("recipients", []string{"H02"}), 422, "recipients", "recipients", []string{"H02"}},
		{"recipient malformed", field("recipients", []string{"H26", "H2 6"}), 422, "recipients", "recipients", []string{"H2 6", "H26"}},
		{"recipient that nobody serves", field("recipients", []string{"H31"}), 422, "recipients", "recipients", []string{"H31"}},
		{"no recipient", field("recipients", []string{}), 422, "missing", "recipients", nil},
		{"recipients not given", field("recipients", nil), 422, "missing", "recipients", nil},
		{"an empty recipient", field("recipients", []string{"H26", ""}), 422, "missing", "recipients[1]", nil},
		{"a foreign sender", field("sender", "H26"), 403, "foreign_sender", "sender", []string{"H26", "H29.12"}},
		{"an unknown sender", field("sender", "H99"), 422, "code_unknown", "sender", []string{"H99"}},
		{"no sender", field("sender", nil), 422, "missing", "sender", nil},
		{"no document id", field("document_id", " "), 422, "missing", "document_id", nil},
		{"document id too long", field("document_id", long(201)), 422, "too_long", "document_id", []string{"201", "200"}},
		{"no subject", field("subject", ""), 422, "missing", "subject", nil},
		{"subject too long", field("subject", long(501)), 422, "too_long", "subject", []string{"501", "500"}},
		{"number too long", field("number", long(12)), 422, "too_long", "number", []string{"12", "11"}},
		{"notation too long", field("notation", long(31)), 422, "too_long", "notation", []string{"31", "30"}},
		{"type name missing", field("type", map[string]any{"code": 18}), 422, "missing", "type.name", nil},
		{"type name too long", field("type", map[string]any{"name": long(101)}), 422, "too_long", "type.name", []string{"101", "100"}},
		{"signer too long", field("signer", map[string]any{"name": long(51)}), 422, "too_long", "signer.name", []string{"51", "50"}},
		{"position too long", field("signer", map[string]any{"position": long(101)}), 422, "too_long", "signer.position", nil},
		{"content too long", field("content", long(501)), 422, "too_long", "content", nil},
		{"places too long", field("to_places", []string{long(600), long(600)}), 422, "too_long", "to_places", nil},
		{"a day that is none", field("promulgation_date", "31/10/2026"), 422, "malformed", "promulgation_date", []string{"31/10/2026"}},
		{"a day that is not in the calendar", field("promulgation_date", "2026-02-30"), 422, "malformed", "promulgation_date", nil},
		{"a clock far off", field("promulgation_date", "1899-12-30"), 422, "malformed", "promulgation_date", nil},
		{"a due day far off", field("due_date", "9999-12-31"), 422, "malformed", "due_date", nil},
		{"an unknown kind", field("kind", "thu hồi"), 422, "malformed", "kind", nil},
		{"a recall without its original", field("kind", "recall"), 422, "missing", "original", nil},
		{"a recall of what was never sent", with(map[string]any{"kind": "recall", "original": "H29.12-2026-none"}), 422, "original_unknown", "original", []string{"H29.12-2026-none"}},
		{"an unknown urgency", field("urgency", "hỏa tốc"), 422, "malformed", "urgency", nil},
		{"too many pages", field("page_amount", 1000), 422, "malformed", "page_amount", nil},
		{"a number where text is meant", field("subject", 7), 422, "malformed", "subject", nil},
		{"an unknown field", field("subjekt", "x"), 422, "unknown_field", "subjekt", nil},
		{"an unknown field with a very long name", field(long(10_000), "x"), 422, "unknown_field", "", nil},
		{"a control character", field("subject", "V/v \x07"), 422, "utf8", "subject", nil},
		{"NUL in an id", field("document_id", "a\x00b"), 422, "utf8", "document_id", nil},
		{"a control character in a reference", field("references", []any{map[string]any{"document_id": "\x1b[2J"}}), 422, "utf8", "references[0].document_id", nil},
		{"too many references", field("references", slices.Repeat([]any{map[string]any{"agency": "G22"}}, 101)), 422, "malformed", "references", nil},
		{"several faults at once", with(map[string]any{"subject": "", "number": long(12)}), 422, "metadata", "number", nil},
		{"bad UTF-8", []byte("{\"sender\":\"H29.12\",\"subject\":\"V\xe1\xba\"}"), 422, "utf8", "dispatch", nil},
		{"an empty first part", []byte(" \n"), 422, "missing", "dispatch", nil},
		{"truncated JSON", []byte(`{"sender":"H29.12","recip`), 422, "json", "dispatch", nil},
		{"not JSON", []byte(`<?xml version="1.0"?>`), 422, "json", "dispatch", nil},
		{"JSON and more", []byte(`{} {}`), 422, "json", "dispatch", nil},
		{"a JSON string", []byte(`"H29.12"`), 422, "malformed", "", nil},
		{"null", []byte(`null`), 422, "metadata", "sender", nil},
		{"deep nesting", []byte(strings.Repeat(`{"signer":`, 20_000)), 422, "json", "dispatch", nil},
		{"deep arrays", []byte(`{"references":` + strings.Repeat("[", 1<<20)), 422, "json", "dispatch", nil},
		{"four million empty recipients' worth", []byte(`{"recipients":[` + strings.Repeat(`"",`, 1_000_000) + `""]}`), 413, "recipients_many", "recipients", nil},
		{"a number of a million digits", []byte(`{"page_amount":` + strings.Repeat("9", 1_000_000) + `}`), 422, "malformed", "page_amount", nil},
		{"metadata over their limit", []byte(strings.Repeat(" ", 5<<20)), 413, "body_large", "dispatch", nil},
	} {
		ok := t.Run(c.name, func(t *testing.T) {
			a.untouched(t, func() {
				r := a.submit("H29.12", c.meta, signed(t)).refused(t, c.status, c.code)
				if got, _ := r.json["field"].(string); got != c.field && c.field != "" {
					t.Errorf("field %q, want %q: %.500s", got, c.field, r.raw)
				}
				if len(r.raw) > 20_000 {
					t.Errorf("an answer of %d bytes", len(r.raw))
				}
				said := r.json["vi"].(string) + r.json["en"].(string)
				for _, p := range problemsOf(r) {
					said += p.VI + p.EN
				}
				for _, want := range c.say {
					if strings.Count(said, want) < 2 {
						t.Errorf("%q is not named in both languages: %.1000s", want, said)
					}
				}
			})
		})
		if !ok && testing.Verbose() {
			continue
		}
	}
}

func problemsOf(r reply) []Problem {
	var p Problem
	_ = json.Unmarshal(r.raw, &p)
	return p.Problems
}

// TestRecipientFaults looks at the refusal that a sender's screen shows: each bad code by its place, with what to do.
func TestRecipientFaults(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	given := []string{"H26", "H54", "H29.13", "x y", "H31"}
	p := problemsOf(a.submit("H29.12", letter("H29.12-2026-1", given...), signed(t)).refused(t, 422, "recipients"))
	if len(p) != 4 {
		t.Fatalf("%d problems: %+v", len(p), p)
	}
	for i, want := range []struct{ code, field string }{{"code_closed", "recipients[1]"}, {"code_unknown", "recipients[2]"},
		{"code_malformed", "recipients[3]"}, {"not_connected", "recipients[4]"}} {
		if p[i].Code != want.code || p[i].Field != want.field {
			t.Errorf("problem %d: %+v, want %v", i, p[i], want)
		}
	}
	if len(p[0].Successors) != 1 || p[0].Successors[0].Code != "H31" || p[0].Successors[0].Name == "" {
		t.Errorf("successors: %+v", p[0])
	}
	if !slices.ContainsFunc(p[1].Suggestions, func(n Named) bool { return n.Code == "H29.12" && n.Name != "" }) {
		t.Errorf("suggestions: %+v", p[1])
	}
}

// TestSecretDocuments: a state secret is refused and nothing of it is kept, whatever came with it.
func TestSecretDocuments(t *testing.T) {
	t.Parallel()
	a := newAxis(t, "")
	for name, changes := range map[string]map[string]any{
		"marked":                       {"secrecy": "Mật"},
		"marked in capitals":           {"secrecy": "TỐI MẬT"},
		"marked in another word":       {"secrecy": "confidential"},
		"by notation":                  {"notation": "UBND-VP(M)"},
		"by notation with a dash":      {"notation": "SYT-M"},
		"by the head of the subject":   {"subject": "TUYỆT MẬT: V/v kế hoạch"},
		"in brackets":                  {"subject": "[MẬT] V/v kế hoạch"},
		"in decomposed Unicode":        {"subject": "MA\u0323\u0302T - V/v kế hoạch"},
		"in decomposed Unicode, field": {"secrecy": "Ma\u0323\u0302t"},
	} {
		t.Run(name, func(t *testing.T) {
			a.untouched(t, func() {
				r := a.submit("H29.12", with(changes), signed(t), file{"kèm.txt", "text/plain", bytes.Repeat([]byte("x"), 1<<20)})
				r.refused(t, 422, "secret")
			})
		})
	}
	a.untouched(t, func() {
		a.submit("H29.12", with(map[string]any{"secrecy": "không", "recipients": []string{"H54"}}), signed(t)).refused(t, 422, "recipients")
	})
	// The refusal is a security event in the audit, without subject or id.
	var events, telling int
	check(t, a.rows(t).QueryRow(t.Context(), `SELECT count(*), count(*) FILTER (WHERE concat(object, detail) LIKE '%refused%' OR concat(object, detail) LIKE '%kế hoạch%')
		FROM audit WHERE action = 'dispatch.secret_refused'`).Scan(&events, &telling))
	if events != 9 || telling != 0 {
		t.Errorf("%d events, %d of them with content", events, telling)
	}
}
