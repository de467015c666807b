"""The sheet of a plot, with title and source, and its conversion to a PNG."""

from __future__ import annotations

import io
from collections.abc import Mapping

from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.layout_engine import ConstrainedLayoutEngine
from PIL import Image, ImageColor
from PIL.PngImagePlugin import PngInfo

from movies.report import style
from movies.report.plots.palettes import Palette

_MARGIN_INCHES = 0.2
_LINE_SPACING = 1.3
_TITLE_LINES = 2
_NOTE_LINES = 2
# A higher level takes twice the time and saves a tenth of the size.
_COMPRESSION = 4


def new_sheet(size_inches: tuple[float, float]) -> Figure:
    """Create an empty figure without pyplot."""
    figure = Figure(figsize=size_inches, dpi=style.DPI)
    FigureCanvasAgg(figure)
    return figure


def renderer(figure: Figure) -> RendererAgg:
    """Return the renderer, which measures texts in this figure's pixels."""
    measure: RendererAgg = _canvas(figure).get_renderer()  # type: ignore[no-untyped-call]
    return measure


def frame(figure: Figure, palette: Palette, title: str, note: str, caption: tuple[str, ...]) -> None:
    """Write title, note and caption, and leave the space between them to the axes."""
    width, height = figure.get_size_inches()
    from_top = _MARGIN_INCHES
    for text, points, weight, colour, lines in (
        (title, style.TITLE_POINTS, "bold", palette.ink, _TITLE_LINES),
        (note, style.NOTE_POINTS, "normal", palette.grey, _NOTE_LINES),
    ):
        for line in wrap(figure, style.drawable(text), points, weight, lines):
            figure.text(
                _MARGIN_INCHES / width,
                1 - from_top / height,
                line,
                fontsize=points,
                fontweight=weight,
                color=colour,
                va="top",
            )
            from_top += points * _LINE_SPACING / 72
        from_top += 0.04
    from_bottom = 0.1
    for line in reversed(caption):
        figure.text(
            _MARGIN_INCHES / width,
            from_bottom / height,
            style.drawable(line),
            fontsize=style.CAPTION_POINTS,
            color=palette.grey,
            va="bottom",
        )
        from_bottom += style.CAPTION_POINTS * _LINE_SPACING / 72
    bottom, top = (from_bottom + 0.06) / height, 1 - (from_top + 0.04) / height
    side = 0.1 / width
    figure.set_layout_engine(
        ConstrainedLayoutEngine(rect=(side, bottom, 1 - 2 * side, top - bottom), w_pad=0.08, h_pad=0.04)
    )


def wrap(figure: Figure, text: str, points: float, weight: str, lines: int) -> list[str]:
    """Wrap a text into at most `lines` lines of the figure's width, with an ellipsis if it is cut."""
    available = (figure.get_figwidth() - 2 * _MARGIN_INCHES) * figure.dpi
    if text_width(figure, text, points, weight) <= available:
        return [text] if text else []
    wrapped: list[str] = []
    for word in text.split():
        longer = f"{wrapped[-1]} {word}" if wrapped else word
        if wrapped and text_width(figure, longer, points, weight) <= available:
            wrapped[-1] = longer
        else:
            wrapped.append(word)
    if len(wrapped) > lines:
        wrapped = [*wrapped[: lines - 1], f"{wrapped[lines - 1]}…"]
    return [_cut(figure, line, points, weight, available) for line in wrapped]


def text_width(figure: Figure, text: str, points: float, weight: str = "normal") -> float:
    """Measure the width of a text in pixels."""
    font = FontProperties(family=list(style.font_families()), size=points, weight=weight)
    measured = renderer(figure).get_text_width_height_descent(text, font, False)  # type: ignore[no-untyped-call]
    return float(measured[0])


def _cut(figure: Figure, line: str, points: float, weight: str, available: float) -> str:
    """Cut a line to a width in pixels, with an ellipsis."""
    if text_width(figure, line, points, weight) <= available:
        return line
    text = line.rstrip("…")
    # Binary search, because a name may be long.
    fitting, wide = 0, len(text)
    while wide - fitting > 1:
        middle = (fitting + wide) // 2
        if text_width(figure, f"{text[:middle].rstrip()}…", points, weight) <= available:
            fitting = middle
        else:
            wide = middle
    return f"{text[:fitting].rstrip()}…"


def settle(figure: Figure) -> None:
    """Compute the layout once and fix it, so that later texts can be placed by pixel."""
    engine = figure.get_layout_engine()
    if engine is not None:
        for axes in figure.axes:
            for text in axes.texts:
                # They need no layout of their own, and measuring them takes as long as drawing.
                text.set_in_layout(False)
        engine.execute(figure)
        figure.set_layout_engine("none")


def leave_empty(figure: Figure, palette: Palette) -> None:
    """Write in the middle of the sheet that there is nothing to draw."""
    figure.set_layout_engine("none")
    figure.text(0.5, 0.5, "There is nothing to draw yet.", ha="center", va="center", color=palette.grey)


def png(figure: Figure, palette: Palette, metadata: Mapping[str, str]) -> bytes:
    """Convert the figure to a PNG with a palette, which is a third of the size of a true-colour one."""
    canvas = _canvas(figure)
    canvas.draw()  # type: ignore[no-untyped-call]
    pixels = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    drawn = Image.frombuffer("RGBA", canvas.get_width_height(), pixels)
    image = drawn.convert("RGB").quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    _keep_sheet(image, palette)
    texts = PngInfo()
    for keyword, text in metadata.items():
        texts.add_itxt(keyword, text)
    buffer = io.BytesIO()
    image.save(buffer, "png", pnginfo=texts, dpi=(style.DPI, style.DPI), compress_level=_COMPRESSION)
    return buffer.getvalue()


def _keep_sheet(image: Image.Image, palette: Palette) -> None:
    """Restore the sheet's exact colour, which the PNG's palette has mixed with similar ones."""
    colours, sheet = image.getpalette() or [], image.getpixel((0, 0))
    assert isinstance(sheet, int), "a palette image's pixels are numbers"
    colour = ImageColor.getrgb(palette.sheet)
    image.putpalette([*colours[: 3 * sheet], *colour, *colours[3 * sheet + 3 :]])


def _canvas(figure: Figure) -> FigureCanvasAgg:
    canvas = figure.canvas
    assert isinstance(canvas, FigureCanvasAgg), "a sheet has an Agg canvas"
    return canvas
