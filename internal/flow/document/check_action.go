package document

import "strings"

// actionRules are the properties of each action.
var actionRules = map[string]map[string]rule{
	"navigate": {
		"name": text(0).fixed().must(), "payload": rule{kinds: kindObject}.fixed(),
		"next": object(map[string]rule{"type": words("screen").fixed().must(), "name": text(200).fixed().must()}).fixed().must(),
	},
	"complete":      {"name": text(0).fixed().must(), "payload": rule{kinds: kindObject}.fixed().must()},
	"data_exchange": {"name": text(0).fixed().must(), "payload": rule{kinds: kindObject}.fixed()},
	"update_data":   {"name": text(0).fixed().must(), "payload": rule{kinds: kindObject}.fixed().must()},
	"open_url":      {"name": text(0).fixed().must(), "url": text(4096).must()},
}

// action checks what a tap does. allowed are the actions of the place it stands in.
func (c *checker) action(prop string, v *value, path string, allowed []string) {
	name := v.get("name")
	if !name.is(kindString) {
		c.at(MissingRequired, v, path, "Missing required property 'name'.")
		return
	}
	switch since := actionSince[name.text]; {
	case !has(allowed, name.text):
		c.at(InvalidValue, name, under(path, "name"), "Invalid value found for property 'name'. '%s' of this component does one of %s.",
			prop, strings.Join(allowed, ", "))
		return
	case c.doc.Version != 0 && since > c.doc.Version:
		c.at(InvalidValue, name, under(path, "name"), "Invalid value found for property 'name'. %s is supported from version %s on.", name.text, since)
		return
	}
	c.object(v, path, actionRules[name.text])
	payload := v.get("payload")
	if payload.is(kindObject) {
		c.payload(payload, under(path, "payload"), 0)
	}
	switch name.text {
	case "navigate":
		c.navigate(v, path)
	case "complete":
		if !c.screen.Terminal {
			c.at(InvalidComplete, v, path, "The 'complete' action is for terminal screens only.")
		}
	case "data_exchange":
		if !c.doc.HasEndpoint() {
			c.at(InvalidAction, v, path, "The 'data_exchange' action needs the property 'data_api_version'.")
		}
	case "update_data":
		c.update(payload, under(path, "payload"))
	case "open_url":
		if url := v.get("url"); url.is(kindString) && !dynamic(url.text) && !strings.HasPrefix(url.text, "https://") {
			c.bad("url", url, under(path, "url"))
		}
	}
}

// payload checks the references inside of what an action sends.
func (c *checker) payload(v *value, path string, depth int) {
	switch v.kind {
	case kindString:
		if dynamic(v.text) {
			c.references(v, path)
			c.nestedFiles(v, path, depth)
		}
	case kindArray:
		for i, it := range v.items {
			c.payload(it, index(path, i), depth+1)
		}
	case kindObject:
		for _, m := range v.members {
			c.payload(m.value, under(path, m.name), depth+1)
		}
	case kindNull, kindBool, kindNumber:
	}
}

func (c *checker) navigate(v *value, path string) {
	next := v.get("next").get("name")
	if !next.is(kindString) {
		return
	}
	p := under(path, "next.name")
	to := c.doc.Screen(next.text)
	if to == nil {
		c.at(InvalidNavigate, next, p, "There is no screen '%s' to navigate to.", short(next.text))
		return
	}
	if to == c.screen {
		c.at(InvalidNavigate, next, p, "A screen must not navigate to itself.")
		return
	}
	if c.doc.Routing != nil && !has(c.doc.Routing[c.screen.ID], next.text) {
		c.at(InvalidNavigate, next, p, "The routing model has no route from '%s' to '%s'.", short(c.screen.ID), short(next.text))
	}
	payload := v.get("payload")
	if to.data != nil && len(to.data.members) > maxModel {
		return // told where the model stands
	}
	var missing []string
	for _, key := range to.DataKeys() {
		if payload.get(key) == nil {
			missing = append(missing, key)
		}
	}
	if missing != nil {
		c.at(InvalidNavigate, v, path, "Following fields are expected in the next screen's data model but missing in payload: %s.",
			short(strings.Join(missing, ", ")))
	}
}

// update checks that update_data changes what the screen declares.
func (c *checker) update(payload *value, path string) {
	if !payload.is(kindObject) || (c.screen.data != nil && len(c.screen.data.members) > maxModel) {
		return
	}
	for _, m := range payload.members {
		if c.screen.data.get(m.name) == nil {
			c.add(InvalidAction, m.start, m.end, under(path, m.name), "The screen's data model has no property '"+short(m.name)+"'.")
		}
	}
}

// maxBranches bounds the routes out of one screen. Source: Flow JSON reference, "Routing model".
const maxBranches = 10

// routing checks the routing model.
func (c *checker) routing(root *value) {
	v := root.get("routing_model")
	if v == nil {
		if d := root.get("data_api_version"); d != nil {
			c.at(MissingRequired, d, "routing_model", "Missing required property 'routing_model': a flow with 'data_api_version' needs it.")
		}
		return
	}
	if v.kind != kindObject {
		return
	}
	reached := map[string]bool{}
	for _, m := range v.members {
		p := under("routing_model", m.name)
		reached[m.name] = true
		if c.doc.Screen(m.name) == nil {
			c.add(InvalidRouting, m.start, m.end, p, "The routing model names the screen '"+short(m.name)+"', which the flow does not have.")
		}
		if !m.value.is(kindArray) {
			c.at(InvalidType, m.value, p, "Expected a route to be of type array but found %s.", kindNames[m.value.kind])
			continue
		}
		if len(m.value.items) > maxBranches {
			c.at(InvalidRouting, m.value, p, "A screen has at most %d routes.", maxBranches)
		}
		c.routes(m, p, reached)
	}
	for _, s := range c.doc.Screens {
		if !reached[s.ID] {
			c.at(InvalidRouting, v, "routing_model", "The routing model does not name the screen '%s'.", short(s.ID))
		} else if len(c.doc.Routing[s.ID]) == 0 && !s.Terminal {
			c.at(InvalidRouting, v, "routing_model", "All routes must end at a terminal screen, but '%s' is none.", short(s.ID))
		}
	}
	if name := c.cycle(); name != "" {
		c.at(InvalidRouting, v, "routing_model", "The routing model has a cycle through the screen '%s'.", short(name))
	}
}

func (c *checker) routes(m member, path string, reached map[string]bool) {
	for i, it := range m.value.items {
		p := index(path, i)
		switch {
		case it.kind != kindString:
			c.at(InvalidType, it, p, "Expected a screen id to be of type string but found %s.", kindNames[it.kind])
		case it.text == m.name:
			c.at(InvalidRouting, it, p, "A screen must not lead to itself.")
		case c.doc.Screen(it.text) == nil:
			c.at(InvalidRouting, it, p, "The routing model names the screen '%s', which the flow does not have.", short(it.text))
		}
		reached[it.str()] = true
	}
}

// cycle names a screen on a cycle of two or more screens; empty when there is none.
func (c *checker) cycle() string {
	const (
		open = 1 + iota
		done
	)
	state := map[string]int{}
	var walk func(id string) string
	walk = func(id string) string {
		state[id] = open
		for _, to := range c.doc.Routing[id] {
			if to == id {
				continue // told already
			}
			if state[to] == open {
				return to
			}
			if state[to] == 0 {
				if found := walk(to); found != "" {
					return found
				}
			}
		}
		state[id] = done
		return ""
	}
	for _, id := range sorted(c.doc.Routing) {
		if state[id] == 0 {
			if found := walk(id); found != "" {
				return found
			}
		}
	}
	return ""
}
