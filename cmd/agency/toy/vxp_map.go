package toy

import (
	"slices"
	"strings"
	"unicode/utf16"
)

// javaMap is a HashMap<String, String>, which is what the SDK keeps its headers in: the order of its keys goes over the
// wire. Nobody may rely on it, but a toy that always sent them sorted would not find out who does.
type javaMap struct {
	order  []string // as first put
	values map[string]string
}

func (m *javaMap) put(key, value string) {
	if m.values == nil {
		m.values = map[string]string{}
	}
	if _, known := m.values[key]; !known {
		m.order = append(m.order, key)
	}
	m.values[key] = value
}

func (m *javaMap) value(key string) string { return m.values[key] }

// keys gives the keys in a HashMap's order: by bucket, and within a bucket as they came. Its table begins with 16
// buckets and doubles when more than three quarters as many keys are in it.
func (m *javaMap) keys() []string {
	buckets := uint32(16)
	for len(m.order) > int(buckets)*3/4 {
		buckets *= 2
	}
	keys := slices.Clone(m.order)
	slices.SortStableFunc(keys, func(a, b string) int {
		return int(javaHash(a)&(buckets-1)) - int(javaHash(b)&(buckets-1))
	})
	return keys
}

// javaHash is String.hashCode as HashMap spreads it.
func javaHash(s string) uint32 {
	var h uint32
	for _, u := range utf16Units(s) {
		h = 31*h + uint32(u)
	}
	return h ^ h>>16
}

func utf16Units(s string) []uint16 { return utf16.Encode([]rune(s)) }

// signEscapes is all that the SDK escapes: no HTML, nothing beyond ASCII.
var signEscapes = strings.NewReplacer(`"`, `\"`, `\`, `\\`)

// sign gives the sign-header: a compact JSON object of strings.
func (m *javaMap) sign(keys []string) string {
	var b strings.Builder
	for i, key := range keys {
		b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
		b.WriteString(`"XroadVnpt-` + signEscapes.Replace(key) + `":"` + signEscapes.Replace(m.values[key]) + `"`)
	}
	return b.String() + "}"
}
