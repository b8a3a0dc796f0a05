from django.urls import path, register_converter

from annotation.public import views


class Sha256Converter:
    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(Sha256Converter, "sha256")

app_name = "verify"
urlpatterns = [
    path("", views.ask, name="ask"),
    path("<sha256:sha256>/", views.known, name="known"),
]
