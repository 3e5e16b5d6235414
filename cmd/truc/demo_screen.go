package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

// screen tells the story: plain text, Vietnamese first, English below. On a terminal the bar moves on one line; anywhere
// else it is a line at each tenth, so that a log stays readable.
type screen struct {
	mu      sync.Mutex
	out     io.Writer
	live    bool // a terminal
	started time.Time
	width   int  // columns, for text that is wrapped
	drawn   bool // a bar stands on the current line
	tenth   int  // of the bar, last told
}

func newScreen(out io.Writer) *screen {
	s := &screen{out: out, live: isTerminal(out), started: time.Now(), width: 110, tenth: -1}
	if f, ok := out.(*os.File); ok && s.live {
		if size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ); err == nil && size.Col > 0 {
			s.width = max(50, min(int(size.Col), 140))
		}
	}
	return s
}

// isTerminal says whether a person watches: a character device that is not the null device, and not TERM=dumb.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}

// title says what this is.
func (s *screen) title() {
	s.write(s.bold("Trục liên thông văn bản: trình diễn với cơ quan thật, văn bản và chữ ký THỬ NGHIỆM (TEST)") + "\n" +
		s.dim("The document axis: a demonstration with real agencies, TEST documents and TEST signatures") + "\n\n")
}

// act begins a part of the story.
func (s *screen) act(vi, en string) {
	s.write("\n" + s.bold("── "+vi) + "\n" + s.dim("   "+en) + "\n")
}

// say tells one thing that happened, with the time since the start.
func (s *screen) say(vi, en string) {
	at := fmt.Sprintf("%6s s  ", decimal(time.Since(s.started).Seconds(), 1))
	s.write(at + s.wrapped(vi) + "\n" + strings.Repeat(" ", margin) + s.dim(s.wrapped(en)) + "\n")
}

// margin is where text begins: behind the time.
const margin = 10

// wrapped breaks a text between words so that its lines fit behind the margin.
func (s *screen) wrapped(text string) string {
	var b strings.Builder
	used := 0
	for i, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+n > s.width-margin:
			b.WriteString("\n" + strings.Repeat(" ", margin))
			used = 0
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += n
	}
	return b.String()
}

// note adds a line below what was said, as it is.
func (s *screen) note(text string) {
	s.write(strings.TrimRight(strings.Repeat(" ", margin)+text, " ") + "\n")
}

// bar shows how far something is.
func (s *screen) bar(done, total int, note string) {
	const width = 20 // with a note of 33 columns the line fits 80, so that it can be drawn over
	if total == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	line := fmt.Sprintf("%6s s  %s%s  %s/%s  %s", decimal(time.Since(s.started).Seconds(), 1), strings.Repeat("█", done*width/total),
		strings.Repeat("░", width-done*width/total), grouped(done), grouped(total), note)
	switch tenth := done * 10 / total; {
	case s.live:
		s.drawn = true
		fmt.Fprint(s.out, "\r\x1b[K"+line) // a terminal that is gone takes nothing away from the story
	case tenth != s.tenth:
		s.tenth = tenth
		fmt.Fprintln(s.out, line)
	}
}

// endBar leaves the bar as it stands.
func (s *screen) endBar() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn {
		fmt.Fprintln(s.out)
	}
	s.drawn, s.tenth = false, -1
}

func (s *screen) write(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.drawn {
		text = "\n" + text
		s.drawn = false
	}
	fmt.Fprint(s.out, text)
}

func (s *screen) bold(text string) string { return s.styled("\x1b[1m", text) }
func (s *screen) dim(text string) string  { return s.styled("\x1b[2m", text) }

func (s *screen) styled(code, text string) string {
	if !s.live || os.Getenv("NO_COLOR") != "" {
		return text
	}
	return code + text + "\x1b[0m"
}

// decimal writes a number as Vietnamese do: 1,5.
func decimal(v float64, digits int) string {
	return strings.Replace(fmt.Sprintf("%.*f", digits, v), ".", ",", 1)
}

// grouped writes a count as Vietnamese do: 3.321.
func grouped[T int | int64](n T) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "." + digits[i:]
	}
	return digits
}

// groupedEN writes a count as English does: 3,321.
func groupedEN[T int | int64](n T) string { return strings.ReplaceAll(grouped(n), ".", ",") }
