from django.urls import path

from evalsite.people import accounts, joining, profile

app_name = "people"

urlpatterns = [
    path("join/<str:token>/", joining.join, name="join"),
    path("join/me/<str:token>/", joining.personal, name="personal"),
    path("accounts/profile/", profile.profile, name="profile"),
    path("accounts/profile/link/", profile.new_link, name="new_link"),
    path("accounts/leave/<slug:study>/", profile.leave, name="leave"),
    path("accounts/erase/", profile.erase, name="erase"),
    path("people/", accounts.accounts, name="accounts"),
    path("people/invite/", accounts.invite, name="invite"),
    path("people/invitations/<str:public_id>/revoke/", accounts.revoke, name="revoke"),
    path("people/<int:pk>/", accounts.account, name="account"),
]
