/* Draws every figure of the page with the shared bundle (cape-vega.js): no request, no module, works from file://. */
(function () {
  "use strict";

  function parts(figure) {
    return JSON.parse(figure.querySelector("script[type='application/json']").textContent);
  }

  /* Calls `visit` with every part of a specification, outermost first, and the rows that it draws. */
  function each(spec, visit) {
    (function walk(node, rows) {
      if (!node || typeof node !== "object") return;
      if (node.data && node.data.name) rows = spec.datasets[node.data.name];
      visit(node, rows);
      Object.keys(node).forEach(function (key) { if (key !== "datasets" && key !== "config") walk(node[key], rows); });
    })(spec, []);
  }

  /* A legend lies along the top in as many columns as this screen holds; on a narrow one a long axis title takes lines. */
  function fit(spec, width, free) {
    var narrow = width < 560, asked = {}, named = {}, limit = {};
    spec.config.legend.columns = Math.max(2, Math.floor(width / 110));
    // On a narrow screen a legend ends where the plot ends: begun at the plot's left it would run out of the figure.
    if (narrow) spec.config.legend.layout = { anchor: "end" };
    each(spec, function (node, rows) {
      // Channels that share a legend must ask for one number of columns.
      if (node.field && node.legend && node.legend.columns)
        asked[node.field] = Math.min(asked[node.field] || 9, node.legend.columns);
      // Layers that share the rows' names must ask for the same lines, whichever of the names a layer holds itself.
      var coded = (node.encoding || {}).y;
      keys(coded, rows || []).forEach(function (name) { (named[coded.field] = named[coded.field] || {})[name] = true; });
      if (coded && coded.axis && coded.axis.labelLimit) limit[coded.field] = coded.axis.labelLimit;
    });
    each(spec, function (node, rows) {
      Object.keys(node.encoding || {}).forEach(function (channel) {
        var coded = node.encoding[channel], names = keys(coded, rows || []);
        if (narrow && channel === "x" && typeof coded.title === "string") coded.title = lines(coded.title, 28);
        if (narrow && channel === "y" && named[coded.field] && coded.axis !== null) {
          coded.axis = coded.axis || {};
          coded.axis.labelLimit = Math.min(limit[coded.field] || 180, 0.42 * width);
          inLines(coded.axis, Object.keys(named[coded.field]), spec, free);
        }
        if (names.length && coded.legend !== null && ["color", "shape", "strokeDash", "fill"].indexOf(channel) >= 0) {
          var longest = Math.max.apply(null, names.map(function (name) { return name.length; }));
          var columns = Math.floor((width - 20) / (30 + 6.4 * longest));
          coded.legend = coded.legend || {};
          coded.legend.columns = Math.max(1, Math.min(names.length, columns, asked[coded.field] || 4));
          coded.legend.labelLimit = width - 40;
          if (narrow && coded.title) coded.legend.titleOrient = "top";
        }
      });
    });
  }

  /* What a legend of this channel would name: the scale's own list, else the different words of its column. */
  function keys(coded, rows) {
    if (!coded || coded.type !== "nominal") return [];
    var own = coded.scale && coded.scale.domain;
    var found = Array.isArray(own) ? own : rows.map(function (row) { return row[coded.field]; });
    return found.map(String).filter(function (name, at, all) { return all.indexOf(name) === at; });
  }

  /* Names of rows that are too long for a narrow screen take two lines or three; the rows grow, where nothing else sets them. */
  function inLines(axis, names, spec, free) {
    var most = Math.floor(axis.labelLimit / 6.9), broken = {};
    names.forEach(function (name) { if (name.length > most) broken[name] = lines(name, most); });
    var deep = Math.max.apply(null, [1].concat(Object.keys(broken).map(function (name) { return broken[name].length; })));
    if (deep === 1 || typeof spec.height !== "number" || axis.labelExpr) return;
    var need = names.length * (14 * deep + 10);
    if (spec.height < need && !free) return;
    spec.height = Math.max(spec.height, need);
    axis.labelExpr = "(" + JSON.stringify(broken) + ")[datum.label] || datum.label";
  }

  /* A text in lines of so many letters, or of what `fits`. */
  function lines(text, most, fits) {
    return text.split(" ").reduce(function (done, word) {
      var longer = done.length ? done[done.length - 1] + " " + word : word;
      if (done.length && (fits ? fits(longer) : longer.length <= most)) done[done.length - 1] = longer;
      else done.push(word);
      return done;
    }, []);
  }

  /* One specification, with the pooled data and the look put back. Parsed anew for each view: Vega writes into its rows. */
  function specification(figure, index) {
    var all = parts(figure), spec = all.views[index];
    spec.datasets = all.data;
    spec.config = all.config;
    fit(spec, figure.clientWidth, !all.control);
    return spec;
  }

  function csv(rows) {
    var names = Object.keys(rows[0] || {});
    function cell(value) {
      var text = value === null || value === undefined ? "" : String(value);
      return /[",\n]/.test(text) ? '"' + text.replace(/"/g, '""') + '"' : text;
    }
    return [names].concat(rows.map(function (row) { return names.map(function (name) { return row[name]; }); }))
      .map(function (line) { return line.map(cell).join(","); }).join("\n") + "\n";
  }

  function save(blob, name) {
    var link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(function () { URL.revokeObjectURL(link.href); }, 1000);
    return "Saved";
  }

  function offerRows(figure) {
    var button = figure.querySelector("button.cape-rows");
    if (!parts(figure).rows) return;
    button.hidden = false;
    button.addEventListener("click", function () {
      var all = parts(figure);
      save(new Blob([csv(all.data[all.rows])], { type: "text/csv" }), figure.id.replace(/^fig-/, "") + ".csv");
    });
  }

  /* The picture of a figure, to be pasted anywhere: its title, the charts as they stand, source and address. */
  function offerPicture(figure, views) {
    var button = figure.querySelector("button.cape-picture"), label = button.textContent;
    button.hidden = false;
    button.addEventListener("click", function () {
      var picture = Promise.all(views.map(function (view) { return view.toCanvas(2); })).then(function (charts) {
        return new Promise(function (done) { composed(figure, charts).toBlob(done, "image/png"); });
      });
      copied(picture).catch(function () {
        return picture.then(function (blob) { return save(blob, figure.id.replace(/^fig-/, "") + ".png"); });
      }).then(function (word) {
        button.textContent = word;
        setTimeout(function () { button.textContent = label; }, 2000);
      });
    });
  }

  function copied(picture) {
    if (!navigator.clipboard || !window.ClipboardItem) return Promise.reject();
    return navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]).then(function () { return "Copied"; });
  }

  function composed(figure, charts) {
    var edge = 40, width = Math.max.apply(null, [720].concat(charts.map(function (chart) { return chart.width; })));
    var canvas = document.createElement("canvas"), pen = canvas.getContext("2d");
    var title = figure.querySelector(".cape-title").firstChild.textContent.trim();
    var source = [].map.call(figure.querySelectorAll("figcaption > span"), function (part) { return part.textContent; }).join(" ");
    var canonical = document.querySelector("link[rel=canonical]");
    var address = (canonical ? canonical.href : location.href.split("#")[0]) + "#" + figure.id;
    function broken(text, font) {
      pen.font = font;
      return lines(text, 0, function (longer) { return pen.measureText(longer).width <= width; });
    }
    var head = "600 32px sans-serif", foot = "22px sans-serif";
    var above = broken(title, head), below = broken(source, foot).concat(broken(address, foot));
    var tall = charts.reduce(function (sum, chart) { return sum + chart.height + 20; }, 0);
    canvas.width = width + 2 * edge;
    canvas.height = 2 * edge + 42 * above.length + tall + 30 * below.length + 10;
    pen.fillStyle = "#ffffff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.textBaseline = "top";
    pen.fillStyle = "#212529";
    pen.font = head;
    var y = edge;
    above.forEach(function (line) { pen.fillText(line, edge, y); y += 42; });
    charts.forEach(function (chart) { pen.drawImage(chart, edge, y); y += chart.height + 20; });
    pen.fillStyle = "#5c636a";
    pen.font = foot;
    y += 10;
    below.forEach(function (line) { pen.fillText(line, edge, y); y += 30; });
    return canvas;
  }

  function follow(figure, views) {
    var control = parts(figure).control;
    if (!control) return;
    var input = figure.querySelector(".cape-control input, .cape-control select");
    var output = figure.querySelector(".cape-control output"), reading = figure.querySelector(".cape-reading");
    function moved() {
      var i = Number(input.value);
      if (output) { output.textContent = control.texts[i]; input.setAttribute("aria-valuetext", control.texts[i]); }
      if (reading) reading.innerHTML = control.readings[i];
      return Promise.all(views.map(function (view) { return view.signal(control.signal, control.values[i]).runAsync(); }));
    }
    input.addEventListener("input", moved);
    moved(); // a browser that reloads the page keeps the slider where it was
  }

  /* The side bar, a details element and the printer change the width without a resize of the window. */
  function keepWidth(place, view) {
    var last = place.clientWidth;
    new ResizeObserver(function () {
      var width = place.clientWidth;
      if (!width || width === last) return;
      last = width;
      view.signal("width", width).runAsync();
    }).observe(place);
  }

  function draw(figure) {
    var places = figure.querySelectorAll(".cape-view"), inputs = figure.querySelector(".cape-inputs");
    var jobs = Array.prototype.map.call(places, function (place, index) {
      var spec = specification(figure, index), wide = spec.width === "container";
      var options = { mode: "vega-lite", actions: false, renderer: "svg", bind: inputs };
      return window.vegaEmbed(place, spec, options).then(function (result) {
        // The frame names the picture; the marks inside would be read out one by one.
        place.querySelector("svg").setAttribute("aria-hidden", "true");
        if (wide) keepWidth(place, result.view);
        return result.view;
      });
    });
    return Promise.all(jobs).then(function (views) {
      follow(figure, views);
      offerRows(figure);
      offerPicture(figure, views);
      figure.capeViews = views;
      figure.dataset.ready = "1";
    }).catch(function (error) {
      figure.dataset.error = error.message;
      places[0].textContent = "This chart could not be drawn: " + error.message;
    });
  }

  function start() { document.querySelectorAll("figure.cape-figure").forEach(draw); }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start); else start();
})();
