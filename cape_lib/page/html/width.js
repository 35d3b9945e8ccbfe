// A chart asks for its width once, perhaps before it is in the page or has its style; after that it listens to the
// window. So the window is told whenever the place gets a width or another one, once a frame however many ask.
export default { render({ el }) {
  const tell = () => { window.capeTold = 0; window.dispatchEvent(new Event("resize")); };
  const seen = new ResizeObserver(() => { window.capeTold = window.capeTold || requestAnimationFrame(tell); });
  seen.observe(el);
  return () => seen.disconnect();
} };
