package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// words are what the names of a conversation stand for.
type words map[string]string

var placeholder = regexp.MustCompile(`\{[a-z][a-z0-9_]*\}`)

// compare says how an answer differs from what is written, or nil. What new names stand for is noted only when all is well,
// so that a request may be repeated.
func (w words) compare(want message, status string, header http.Header, body []byte) error {
	found := words{}
	for name, value := range w {
		found[name] = value
	}
	if want.first != status {
		return fmt.Errorf("answered %s, not %s: %.2000s", status, want.first, body)
	}
	for _, h := range want.headers {
		if err := found.text(h[1], header.Get(h[0])); err != nil {
			return fmt.Errorf("header %s: %w", h[0], err)
		}
	}
	if err := found.body(want.body, body); err != nil {
		return fmt.Errorf("%w\nthe whole answer: %.4000s", err, body)
	}
	for name, value := range found {
		w[name] = value
	}
	return nil
}

func (w words) body(want string, got []byte) error {
	trimmed := strings.TrimSpace(want)
	if trimmed == "" {
		return nil
	}
	if trimmed[0] != '{' && trimmed[0] != '[' {
		return w.lines(strings.Split(trimmed, "\n"), string(got))
	}
	var pattern, value any
	if err := json.Unmarshal([]byte(trimmed), &pattern); err != nil {
		return fmt.Errorf("what is written is no JSON: %w", err)
	}
	if err := json.Unmarshal(got, &value); err != nil {
		return fmt.Errorf("what is answered is no JSON: %w", err)
	}
	return w.value("", pattern, value)
}

// lines finds texts one after the other.
func (w words) lines(want []string, got string) error {
	for _, line := range want {
		at := w.pattern(strings.TrimSpace(line)).FindStringSubmatchIndex(got)
		if at == nil {
			return fmt.Errorf("%q is not there", line)
		}
		if err := w.text(strings.TrimSpace(line), got[at[0]:at[1]]); err != nil {
			return err
		}
		got = got[at[1]:]
	}
	return nil
}

// value compares JSON; at is the path to it.
func (w words) value(at string, want, got any) error {
	switch pattern := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Errorf("%s: %v is no object", at, got)
		}
		for _, name := range sortedKeys(pattern) {
			if pattern[name] == "(none)" {
				if _, there := object[name]; there {
					return fmt.Errorf("%s.%s is there: %v", at, name, object[name])
				}
				continue
			}
			value, there := object[name]
			if !there {
				return fmt.Errorf("%s.%s is not there", at, name)
			}
			if err := w.value(at+"."+name, pattern[name], value); err != nil {
				return err
			}
		}
		return nil
	case []any:
		list, ok := got.([]any)
		if !ok {
			return fmt.Errorf("%s: %v is no array", at, got)
		}
		if len(pattern) > 0 && pattern[len(pattern)-1] == "..." {
			pattern = pattern[:len(pattern)-1]
			list = list[:min(len(list), len(pattern))]
		}
		if len(list) != len(pattern) {
			return fmt.Errorf("%s has %d elements, not %d", at, len(list), len(pattern))
		}
		for i := range pattern {
			if err := w.value(fmt.Sprintf("%s[%d]", at, i), pattern[i], list[i]); err != nil {
				return err
			}
		}
		return nil
	case string:
		text, ok := got.(string)
		if !ok {
			text = fmt.Sprint(got)
		}
		if err := w.text(pattern, text); err != nil {
			return fmt.Errorf("%s: %w", at, err)
		}
		return nil
	}
	if want != got {
		return fmt.Errorf("%s is %v, not %v", at, got, want)
	}
	return nil
}

// pattern makes a text with names into a regular expression; each new name is a group, in order.
func (w words) pattern(text string) *regexp.Regexp {
	var b strings.Builder
	last := 0
	for _, m := range placeholder.FindAllStringIndex(text, -1) {
		b.WriteString(regexp.QuoteMeta(text[last:m[0]]))
		if value, ok := w[text[m[0]+1:m[1]-1]]; ok {
			b.WriteString(regexp.QuoteMeta(value))
		} else {
			b.WriteString(`([^\n]+?)`)
		}
		last = m[1]
	}
	b.WriteString(regexp.QuoteMeta(text[last:]))
	return regexp.MustCompile(b.String())
}

// text compares one text and notes what new names stand for.
func (w words) text(want, got string) error {
	m := regexp.MustCompile("^(?:" + w.pattern(want).String() + ")$").FindStringSubmatch(got)
	if m == nil {
		return fmt.Errorf("%q is not %q", got, placeholder.ReplaceAllStringFunc(want, func(name string) string {
			if value, ok := w[strings.Trim(name, "{}")]; ok {
				return value
			}
			return name
		}))
	}
	n := 1
	for _, name := range placeholder.FindAllString(want, -1) {
		if name = strings.Trim(name, "{}"); w[name] == "" {
			w[name] = m[n]
			n++
		}
	}
	return nil
}

// TestPatterns: what the runner takes for equal.
func TestPatterns(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want, got string
		ok        bool
	}{
		{`{"a": 1}`, `{"a": 1, "b": 2}`, true}, {`{"a": 1}`, `{"a": 2}`, false}, {`{"a": "(none)"}`, `{"b": 1}`, true},
		{`{"a": "(none)"}`, `{"a": 1}`, false}, {`{"a": [1, "..."]}`, `{"a": [1, 2, 3]}`, true}, {`{"a": [1]}`, `{"a": [1, 2]}`, false},
		{`{"a": "{x}", "b": "{x}"}`, `{"a": "1", "b": "1"}`, true}, {`{"a": "{x}", "b": "{x}"}`, `{"a": "1", "b": "2"}`, false},
		{`{"a": "{x}.1"}`, `{"a": "7.1"}`, true}, {`{"a": "{x}.1"}`, `{"a": "7.2"}`, false}, {`{"a": "{x}"}`, `{"a": 5}`, true},
		{"one\nthree", "one two\nthree", true}, {"three\none", "one two\nthree", false}, {"id {x}!", "the id 5!", true},
		{`{"a": null}`, `{"a": null}`, true}, {`{"a": true}`, `{"a": "true"}`, false}, {`{"a.b": "(x+)"}`, `{"a.b": "(x+)"}`, true},
	} {
		if err := (words{}).body(c.want, []byte(c.got)); (err == nil) != c.ok {
			t.Errorf("%s against %s: %v", c.want, c.got, err)
		}
	}
}
