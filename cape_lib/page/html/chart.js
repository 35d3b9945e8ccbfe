// Altair gives each chart its own copy of the drawing library, 900 kB. Twenty copies keep a browser so busy that
// anywidget gives up on some after two seconds, and these never hear of a moved slider. So the library travels once,
// as the text of a widget without a view, and a chart only asks for it.
function library(model) {
  window.capeCharts ||= model.widget_manager.get_model(model.get("library")).then((shared) =>
    import(URL.createObjectURL(new Blob([shared.get("code")], { type: "text/javascript" }))));
  window.capeCharts.catch(() => { window.capeCharts = undefined; });
  return window.capeCharts;
}
export default { async render(context) { return (await library(context.model)).default.render(context); } };
