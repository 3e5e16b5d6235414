package storage_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/truc-lienthong/truc/storage"
)

func (a *axis) user(name string) storage.User {
	a.t.Helper()
	u, err := a.User(context.Background(), name)
	must(a.t, err)
	return u
}

// TestCodeUsedOnce: of requests that bring the same one-time code at once, one signs in; an older code never does.
func TestCodeUsedOnce(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := context.Background()
	must(t, a.AddUser(ctx, storage.User{Name: "lan", Role: storage.Clerk, Agencies: codes("S"), Password: "x", TOTP: []byte{1}}, "test", a.now))
	var in atomic.Int32
	var requests sync.WaitGroup
	for range 20 {
		requests.Go(func() {
			ok, err := a.SignedIn(ctx, "lan", 1000, "", a.now)
			if err != nil {
				t.Error(err)
			}
			if ok {
				in.Add(1)
			}
		})
	}
	requests.Wait()
	if in.Load() != 1 {
		t.Errorf("%d signed in with one code", in.Load())
	}
	for _, c := range []struct {
		step int64
		want bool
	}{{999, false}, {1000, false}, {1001, true}, {1001, false}} {
		if ok, err := a.SignedIn(ctx, "lan", c.step, "", a.now); err != nil || ok != c.want {
			t.Errorf("step %d: %t, %v", c.step, ok, err)
		}
	}
	if n := one[int](a, `SELECT count(*) FROM audit WHERE action = 'user.signin'`); n != 2 {
		t.Errorf("%d sign-ins in the audit", n)
	}
}

// TestSignIn: every fifth failure in a row locks, a success clears, and nothing is told of a name that nobody has.
func TestSignIn(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	must(t, a.AddUser(ctx, storage.User{Name: "minh", Role: storage.Auditor, Password: "x", OneTime: true}, "test", a.now))
	if err := a.AddUser(ctx, storage.User{Name: "minh", Role: storage.Operator, Password: "y"}, "test", a.now); !errors.Is(err, storage.ErrExists) {
		t.Errorf("the same name twice: %v", err)
	}
	until := a.now.Add(15 * time.Minute)
	for i := range 5 {
		if u := a.user("minh"); !u.LockedUntil.IsZero() || u.Failures != i {
			t.Errorf("after %d failures: %+v", i, u)
		}
		must(t, a.FailedSignIn(ctx, "minh", "10.0.0.1", a.now, until))
	}
	if u := a.user("minh"); !u.LockedUntil.Equal(until) {
		t.Errorf("%+v", u)
	}
	if ok, err := a.SignedIn(ctx, "minh", 0, "", until); err != nil || !ok {
		t.Errorf("%t, %v", ok, err)
	}
	must(t, a.ChangePassword(ctx, "minh", "z", "", until))
	if u := a.user("minh"); !u.LockedUntil.IsZero() || u.Failures != 0 || u.OneTime || u.Password != "z" || !u.SeenAt.Equal(until) {
		t.Errorf("%+v", u)
	}
	must(t, a.FailedSignIn(ctx, "ai", "", a.now, until))
	if ok, err := a.SignedIn(ctx, "ai", 0, "", a.now); err != nil || ok {
		t.Errorf("nobody signed in: %t, %v", ok, err)
	}
	if err := a.ChangePassword(ctx, "ai", "z", "", a.now); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
	if _, err := a.User(ctx, "ai"); !errors.Is(err, storage.ErrNotFound) {
		t.Error(err)
	}
	if n, err := a.CountUsers(ctx); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
}

// TestSessions: a session is found until it expires, and swept after that.
func TestSessions(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	now := a.now
	s := storage.Sessions{Store: a.Store, Now: func() time.Time { return now }}
	must(t, s.Commit("one", []byte("1"), now.Add(time.Hour)))
	must(t, s.Commit("one", []byte("2"), now.Add(2*time.Hour)))
	must(t, s.Commit("two", []byte("3"), now.Add(time.Hour)))
	must(t, s.Commit("three", []byte("4"), now.Add(5*time.Hour)))
	must(t, s.Delete("three"))
	now = now.Add(time.Hour)
	for token, want := range map[string]string{"one": "2", "two": "", "three": "", "none": ""} {
		if data, ok, err := s.Find(token); err != nil || ok != (want != "") || string(data) != want {
			t.Errorf("%s: %q %t %v", token, data, ok, err)
		}
	}
	if n, err := a.SweepSessions(t.Context(), now.Add(time.Second)); err != nil || n != 1 {
		t.Errorf("swept %d, %v", n, err)
	}
}

// TestAbsenceIsNotFailure: a database that cannot be asked is never "not found" (lessons: error swallowed → 404).
func TestAbsenceIsNotFailure(t *testing.T) {
	t.Parallel()
	a, gone, wire := wired(t)
	ctx := t.Context()
	wire.Down()
	id := storage.NewID(a.now)
	for name, err := range map[string]error{
		"user":       second(gone.User(ctx, "x")),
		"dispatch":   second(gone.Dispatch(ctx, id)),
		"delivery":   second(gone.Delivery(ctx, deliveryID(id, 1))),
		"original":   second(gone.FindOriginal(ctx, codes("S"), "x")),
		"went to":    second(gone.WentTo(ctx, "x", codes("S"))),
		"updates":    second(gone.Updates(ctx, id)),
		"related":    second(gone.Related(ctx, storage.Dispatch{ID: id})),
		"twins":      second(gone.Twins(ctx, storage.Dispatch{ID: id, Number: "1"})),
		"a receipt":  second(gone.Receipt(ctx, deliveryID(id, 1), 1)),
		"spoken":     func() error { _, _, err := gone.Spoken(ctx, storage.Saying{}); return err }(),
		"stray":      func() error { _, _, err := gone.AddStray(ctx, storage.Stray{}, ""); return err }(),
		"strays":     second(gone.Strays(ctx, storage.StrayFilter{})),
		"close":      gone.CloseStray(ctx, id, "op", "", a.now),
		"object":     second(gone.OpenObject(ctx, objectOf("x"), 0, -1)),
		"taken":      second(gone.Taken(ctx, itemID(id, 1), "pull", a.now, "")),
		"receipt":    second(gone.AddReceipt(ctx, storage.Receipt{DeliveryID: deliveryID(id, 1), Status: "01"}, "")),
		"fetched":    gone.Fetched(ctx, deliveryID(id, 1), a.now),
		"release":    second(gone.ReleaseHeld(ctx, id, "op", "", a.now)),
		"made":       second(gone.KeepMade(ctx, id, storage.ProofFile, storage.Upload{Object: objectOf("x"), Key: "x"}, a.now)),
		"disable":    gone.DisableSystem(ctx, "x", "op", a.now),
		"idempotent": func() error { _, _, err := gone.Idempotent(ctx, "x", "y"); return err }(),
	} {
		if err == nil || errors.Is(err, storage.ErrNotFound) || !errors.Is(err, storage.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSystems: what is written of a system is read back; an id or a code is given once.
func TestSystems(t *testing.T) {
	t.Parallel()
	a := newAxis(t)
	ctx := t.Context()
	before, err := a.Versions(ctx)
	must(t, err)
	must(t, a.RotateSecret(ctx, "pull", []byte{2}, a.now.Add(time.Hour), "test", a.now))
	must(t, a.DisableSystem(ctx, "push2", "test", a.now))
	if err := a.DisableSystem(ctx, "push2", "test", a.now); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("disabled twice: %v", err)
	}
	again := storage.System{ID: "new", Name: "new", Kind: "qlvb", Way: "pull", Secret: []byte{1}, Serves: servings("L")}
	if err := a.AddSystem(ctx, again, "test", a.now); !errors.Is(err, storage.ErrExists) {
		t.Errorf("a code served twice: %v", err)
	}
	again.ID, again.Serves = "pull", nil
	if err := a.AddSystem(ctx, again, "test", a.now); !errors.Is(err, storage.ErrExists) {
		t.Errorf("an id twice: %v", err)
	}
	must(t, a.Seen(ctx, map[string]time.Time{"pull": a.now, "box": a.now, "nobody": a.now}))
	must(t, a.Seen(ctx, map[string]time.Time{"pull": a.now.Add(-time.Hour)}))
	must(t, a.Seen(ctx, nil))
	list, err := a.Systems(ctx)
	must(t, err)
	i := slices.IndexFunc(list, func(s storage.System) bool { return s.ID == "pull" })
	if p := list[i]; string(p.Secret) != "\x02" || string(p.OldSecret) != "\x01" || !p.OldUntil.Equal(a.now.Add(time.Hour)) || !p.SeenAt.Equal(a.now) || len(p.Serves) != 1 {
		t.Errorf("%+v", p)
	}
	after, err := a.Versions(ctx)
	if err != nil || after["systems"] != before["systems"]+2 {
		t.Errorf("versions %v after %v, %v", after, before, err)
	}
}
