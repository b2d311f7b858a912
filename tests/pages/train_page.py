"""Reading what the page Train shows."""

import json

from pages.widgets import background


def text(app) -> str:
    """All that the page's main part says."""
    kinds = (app.markdown, app.caption, app.success, app.info, app.warning, app.error)
    return " ".join(str(element.value) for kind in kinds for element in kind)


def agreed(app):
    """Read the pictures that a link names, which nobody has looked at yet."""
    return next(button for button in app.main.button if button.label == "Read these pictures").click().run()


def finish(app):
    """Wait for the jobs in the background, and run the page again."""
    for job in background.jobs():
        assert job.ready(60)
    return app.run()


def looked(app):
    """Wait until the pictures have been read, and what is done with them next, and run the page again."""
    finish(app)
    while not all(job.ready() for job in background.jobs()):
        finish(app)
    return app


def chart(app, key: str) -> dict:
    charts = {chart.proto.id.rpartition("-")[2]: chart for chart in app.get("plotly_chart")}
    return json.loads(charts[key].proto.spec)


def chart_lines(app, key: str) -> list[str]:
    return [line.get("name") for line in chart(app, key)["data"]]
