"""Kinds of programs that plot: section 3's history of an epoch, section 2's attention weights."""

from __future__ import annotations

from support.world.kind import S2, S3, Kind, Member, changed, indented, member

START = "    best = 0\n"
SAVED = '            torch.save(model.state_dict(), "checkpoints/best.pt")\n'
NAMES = "DEVICE = torch.device("


def plotted(name: str, imports: str, code: str) -> Member:
    """After each epoch of ``main``, with ``history`` and ``axes``-like names of its own."""
    return member(
        name,
        changed(
            S3,
            (NAMES, imports + "\n" + NAMES),
            (START, START + "    history = [0.5]\n"),
            (SAVED, SAVED + "        history.append(accuracy)\n" + indented(code)),
        ),
    )


def shown(name: str, imports: str, code: str) -> Member:
    """Plots the weights ``A`` (heads, n, n) below section 2's functions, and in ``attn_softmax``."""
    body = "    result = F.softmax(A, dim=-1)\n    A = result.detach().reshape(-1, *A.shape[-2:])\n"
    source = changed(S2, ("    return F.softmax(A, dim=-1)\n", body + indented(code) + "    return result\n"))
    return member(name, f"{imports}\n{source}\nA = torch.softmax(torch.ones(3, 4, 4), -1)\n{code}\n")


PYPLOT = "import matplotlib.pyplot as plt"
KINDS = [
    Kind(
        "a main that plots its history keeps everything",
        3,
        (
            plotted(
                "two axes unpacked",
                PYPLOT,
                "fig, (left, right) = plt.subplots(1, 2, figsize=(12, 4))\nleft.plot(history)\nright.bar(range(2), [0, 1])",
            ),
            plotted(
                "a grid",
                PYPLOT + "\nimport matplotlib.gridspec as gridspec",
                """fig, ((a, b), (c, d)) = plt.subplots(2, 2)
for axis, title in zip((a, b, c, d), "abcd"):
    axis.set_title(title)
spec = gridspec.GridSpec(2, 3, figure=fig)
plt.subplot(spec[0, :]).plot(history)
fig.add_subplot(spec[1, 1:]).axhline(0.5)""",
            ),
            plotted(
                "axes as an array",
                PYPLOT + "\nimport numpy as np",
                """fig, axes = plt.subplots(2, 3)
for axis in np.ravel(axes):
    axis.plot(history)
axes[0, 1].set_xlabel("epoch"); axes.flatten()[-1].legend(); axes[0][0].grid(True)
rows, columns = np.atleast_2d(axes).shape""",
            ),
            plotted(
                "limits computed with",
                PYPLOT,
                """axis = plt.gca()
lo, hi = axis.get_ylim()
axis.set_ylim(min(lo, 0), max(hi, 1.0) * 1.1)
assert axis.get_xlim()[1] >= -1e9
width, height = plt.gcf().get_size_inches()
plt.gcf().set_size_inches(width * 2, height / 2)
axis.set_xticks([tick for tick in axis.get_xticks() if tick >= 0])""",
            ),
            plotted(
                "a histogram, a bar chart and its labels",
                PYPLOT,
                """counts, edges, patches = plt.hist(history, bins=10)
plt.text(edges[0], counts.max(), f"{counts[0]:.0f} of {sum(counts):d}")
bars = plt.bar(["a", "b"], [1, 2])
for one in bars:
    plt.annotate(f"{one.get_height():.2f}", (one.get_x() + one.get_width() / 2, one.get_height()), ha="center")
bars[0].set_color("red")""",
            ),
            plotted(
                "twin axes and one legend",
                PYPLOT,
                """fig, first = plt.subplots()
second = first.twinx()
line, = first.plot(history, label="accuracy")
[other] = second.plot(history, "r--", label="loss")
handles, labels = first.get_legend_handles_labels()
more_handles, more_labels = second.get_legend_handles_labels()
first.legend(handles + more_handles, labels + more_labels)
first.legend([line, other], [line.get_label(), other.get_label()])
first.yaxis.label.set_color(line.get_color())""",
            ),
            plotted(
                "colours and norms",
                PYPLOT + "\nfrom matplotlib import cm, colors\nimport matplotlib as mpl",
                """palette = plt.cm.viridis([0.1, 0.9])
for value, colour in zip(history, plt.rcParams["axes.prop_cycle"].by_key()["color"]):
    plt.plot([value], color=colour)
norm = colors.Normalize(vmin=0, vmax=1)
mappable = cm.ScalarMappable(norm=norm, cmap=mpl.colormaps["Blues"])
red, green, blue, alpha = cm.get_cmap("Reds")(norm(0.5))
plt.plot(history, color=(red, green, blue)); plt.colorbar(mappable, ax=plt.gca())
with plt.rc_context({"font.size": 8}), plt.style.context("ggplot"):
    plt.plot(history, c=palette[0])""",
            ),
            plotted(
                "tick formatters and a class of its own",
                PYPLOT + "\nfrom matplotlib.ticker import FuncFormatter, MaxNLocator, PercentFormatter, Formatter\n"
                "class Short(Formatter):\n    def __call__(self, value, position=None):\n        return f'{value:.1f}'",
                """axis = plt.axes()
axis.xaxis.set_major_locator(MaxNLocator(integer=True))
axis.yaxis.set_major_formatter(FuncFormatter(lambda value, position: f"{value:.0%}"))
axis.yaxis.set_minor_formatter(Short()); axis.yaxis.set_major_formatter(PercentFormatter(xmax=1))""",
            ),
            plotted(
                "an animation and a live plot",
                PYPLOT
                + "\nfrom matplotlib.animation import FuncAnimation\nfrom IPython.display import HTML, clear_output, display",
                """clear_output(wait=True)
fig = plt.figure()
moving = FuncAnimation(fig, lambda frame: plt.plot(history[:frame]), frames=len(history), interval=50)
display(HTML(moving.to_jshtml())); display(fig); plt.pause(0.01); moving.save("moving.gif", writer="pillow")""",
            ),
            plotted(
                "seaborn and pandas",
                "import seaborn as sns, pandas as pd\nsns.set_theme(style='whitegrid')",
                """frame = pd.DataFrame({"epoch": range(len(history)), "accuracy": history})
axis = sns.lineplot(data=frame, x="epoch", y="accuracy", hue=None)
axis.set(title="accuracy", ylim=(0, 1)); axis.figure.savefig("plot.png")
grid = sns.FacetGrid(frame, col="epoch"); grid.map(sns.histplot, "accuracy")
sns.heatmap([[1, 2], [3, 4]], annot=True, fmt="d").set_xlabel("x"); sns.despine()
frame.to_csv("history.csv", index=False)""",
            ),
            plotted(
                "plotly and altair",
                "import plotly.express as px, plotly.graph_objects as go, altair as alt\nfrom plotly.subplots import make_subplots",
                """fig = px.line(x=list(range(len(history))), y=history, title="accuracy")
fig.update_layout(yaxis_range=[0, 1]).add_hline(y=0.5); fig.show(renderer="colab")
both = make_subplots(rows=1, cols=2); both.add_trace(go.Scatter(y=history), row=1, col=1); both.write_html("plot.html")
(alt.Chart(None).mark_line().encode(x="epoch:Q") + alt.Chart(None).mark_point() | alt.Chart(None)).properties(width=9)""",
            ),
            plotted(
                "a figure saved into memory, beside the text of a report",
                PYPLOT + "\nimport io, json, base64",
                """buffer = io.BytesIO()
plt.plot(history); plt.savefig(buffer, format="png"); buffer.seek(0)
picture = base64.b64encode(buffer.read()).decode()
json.dump({"history": history, "picture": picture}, open("report.json", "w"))
print(plt.gcf(), plt.get_fignums(), "%s: %.2f" % (plt.gca().get_title(), plt.gca().get_ylim()[0]))
plt.close("all")""",
            ),
            plotted(
                "a confusion matrix of scikit-learn",
                PYPLOT + "\nfrom sklearn.metrics import ConfusionMatrixDisplay, confusion_matrix",
                """matrix = confusion_matrix([0, 1, 1], [0, 1, 0])
ConfusionMatrixDisplay(matrix, display_labels=["-", "+"]).plot(ax=plt.subplot(), cmap="Blues")
image = plt.imshow(matrix)
for i in range(matrix.shape[0]):
    for j in range(matrix.shape[1]):
        plt.text(j, i, matrix[i, j], color="white" if matrix[i, j] > image.norm.vmax / 2 else "black")""",
            ),
            plotted(
                "a plotting class with the axes as attributes",
                PYPLOT
                + """
class Curves:
    def __init__(self, count):
        self.figure, self.axes = plt.subplots(1, count)
        self.lines = [axis.plot([], [])[0] for axis in ([self.axes] if count == 1 else self.axes)]
    def update(self, history):
        for line, axis in zip(self.lines, self.axes):
            line.set_data(range(len(history)), history); axis.relim(); axis.autoscale_view()
        self.figure.canvas.draw(); self.figure.canvas.flush_events()
curves = Curves(2)""",
                "curves.update(history)\nassert len(curves.lines) <= 2",
            ),
        ),
    ),
    Kind(
        "plots of attention weights cost section 2 nothing",
        2,
        (
            shown(
                "imshow with values in the cells",
                PYPLOT,
                """fig, axis = plt.subplots(figsize=(4, 4))
image = axis.imshow(A[0].detach().numpy(), cmap="viridis"); fig.colorbar(image, ax=axis)
for i in range(A.shape[-2]):
    axis.text(i, 0, f"{A[0, 0, i].item():.2f}")
plt.show()""",
            ),
            shown(
                "a heat map",
                "import seaborn as sns",
                "sns.heatmap(A[0].numpy(), annot=True, cmap=sns.color_palette('mako', as_cmap=True))",
            ),
            shown(
                "bertviz",
                "from bertviz import head_view, model_view\nfrom bertviz.neuron_view import show",
                "head_view([A[None]], list('abcd')); model_view([A[None]], list('abcd')); show(None, 'gpt2', None, 'text')",
            ),
            shown(
                "widgets",
                "import ipywidgets as widgets\nfrom ipywidgets import interact\nfrom IPython.display import display",
                """slider = widgets.IntSlider(value=1, min=0, max=9)
display(widgets.VBox([slider, widgets.HTML("<b>x</b>")])); slider.observe(lambda change: print(change), names="value")
@interact(layer=(0, 11))
def show(layer=0):
    return A[0, layer]""",
            ),
            shown(
                "one plot for each head",
                PYPLOT + "\nimport math",
                """heads = A.shape[0]
fig, axes = plt.subplots(math.ceil(heads / 4), min(heads, 4), squeeze=False)
for head, axis in enumerate(axes.flat):
    axis.matshow(A[head]); axis.set_xticks(range(4), labels=None, rotation=90)
for axis in axes.flatten()[heads:]:
    axis.axis("off")
fig.suptitle("heads", y=axes[0, 0].get_position().y1 + 0.1)""",
            ),
        ),
    ),
]
