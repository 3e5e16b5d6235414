package signing

import (
	"reflect"
	"testing"
	"time"
)

// TestReportInAZone: every time of a report is told in the zone, also those of fields yet to come, and the report that was
// given stays as it is.
func TestReportInAZone(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("+07", 7*3600)
	var r Report
	fill(reflect.ValueOf(&r).Elem(), 0)
	got := r.In(zone)
	if n := inZoneCount(t, reflect.ValueOf(got), zone, "report"); n < 20 {
		t.Errorf("only %d times were looked at", n)
	}
	if r.Files[0].Signatures[0].Timestamps[0].Time.Location() != time.UTC || r.Signatures[0].Time.Location() != time.UTC {
		t.Error("the report that was given was changed")
	}
}

// fill puts one element into every list and a time into every field for one.
func fill(v reflect.Value, depth int) {
	if depth > 12 {
		return
	}
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)))
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), depth+1)
		}
	case v.Kind() == reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), depth+1)
	}
}

func inZoneCount(t *testing.T, v reflect.Value, zone *time.Location, path string) (n int) {
	t.Helper()
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		if at := v.Interface().(time.Time); at.Location() != zone {
			t.Errorf("%s is told in %v", path, at.Location())
		}
		return 1
	case v.Kind() == reflect.Struct:
		for i := range v.NumField() {
			n += inZoneCount(t, v.Field(i), zone, path+"."+v.Type().Field(i).Name)
		}
	case v.Kind() == reflect.Slice:
		for i := range v.Len() {
			n += inZoneCount(t, v.Index(i), zone, path)
		}
	}
	return n
}
