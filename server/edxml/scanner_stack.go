package edxml

import (
	"fmt"
	"strconv"
	"strings"
)

// push opens an element whose qualified name is raw[from:].
func (s *scanner) push(from int, local string, line int) error {
	if len(s.stack) == maxDepth {
		return s.refuse(TooLong, fmt.Sprintf("Phần tử lồng nhau quá %d cấp.", maxDepth),
			fmt.Sprintf("Elements are nested more than %d deep.", maxDepth), fixSmall)
	}
	index := 1
	if n := len(s.stack); n > 0 {
		index = s.stack[n-1].count(local)
	}
	s.stack = s.stack[:len(s.stack)+1] // the frames below the limit are reused with their slices
	top := &s.stack[len(s.stack)-1]
	*top = frame{local: local, index: index, line: line, raw: from, kids: top.kids[:0]}
	return nil
}

func (s *scanner) pop() {
	s.closed = *s.top()
	s.raw = s.raw[:s.closed.raw]
	s.stack = s.stack[:len(s.stack)-1]
}

func (s *scanner) top() *frame { return &s.stack[len(s.stack)-1] }

func (f *frame) count(local string) int {
	for i := range f.kids {
		if f.kids[i].local == local {
			f.kids[i].count++
			return f.kids[i].count
		}
	}
	// Names that mean something are always counted: else a packet could hide behind sixty-four others that its From comes again.
	if len(f.kids) < maxKids || known[local] != "" {
		f.kids = append(f.kids, kid{local, 1})
	}
	return 1
}

// path is the open elements, as /edXML/edXMLEnvelope/….
func (s *scanner) path() string {
	if len(s.stack) == 0 {
		return "/"
	}
	var b strings.Builder
	for i := range s.stack {
		s.stack[i].appendTo(&b)
	}
	return clipPath(b.String())
}

// maxPath is twice the longest path of a real packet. Without a bound, sixty-four long names would make kilobytes of each four that one
// unknown element takes, a thousand times, in memory and in every answer.
const maxPath = 256

func clipPath(path string) string {
	if len(path) <= maxPath {
		return path
	}
	return strings.ToValidUTF8(path[:maxPath/2], "") + "…" + strings.ToValidUTF8(path[len(path)-maxPath/2:], "")
}

// closedPath is the path of the element that the last tokenEnd ended.
func (s *scanner) closedPath() string {
	var b strings.Builder
	for i := range s.stack {
		s.stack[i].appendTo(&b)
	}
	s.closed.appendTo(&b)
	return clipPath(b.String())
}

// counted are the elements that usually come many times; their number stands in a path even when it is 1.
var counted = map[string]bool{"To": true, "Reference": true, "Attachment": true, "TraceHeader": true, "Receiver": true}

func (f *frame) appendTo(b *strings.Builder) {
	b.WriteByte('/')
	b.WriteString(f.local)
	if f.index > 1 || counted[f.local] {
		b.WriteString("[" + strconv.Itoa(f.index) + "]")
	}
}
