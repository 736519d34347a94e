// Keeps the settings in the address of the page, so that a reload brings them back.
//
// The value: the parameters of the address, without the question mark; see studio.session.link.to_query.

function update() {
  const query = props.value;
  if (typeof query !== "string" || !document.documentElement.dataset.place) return;
  const url = new URL(location.href);
  if (url.hash.length > 1) return;  // another place than the workbench
  url.search = query;
  if (url.href !== location.href) history.replaceState(history.state, "", url);
}

watch("value", update);
