using Pulse.Users;
using Pulse.Web.Auth;
using Pulse.Web.Dashboard;
using Pulse.Web.Http;
using Pulse.Web.Users;

namespace Pulse.Web.Tests.Users;

public sealed class ProfileSyncRequestTests
{
    private static readonly Caller s_caller = new()
    {
        Issuer = "them", Subject = "ada", ExpiresAt = DateTimeOffset.UnixEpoch,
        Email = "Ada@Example.com", EmailVerified = true, Name = "Ada of the token", Picture = "https://example.com/token.png",
    };

    [Fact]
    public void StoredPicture_OverHttp_StaysUntilItIsChanged()
    {
        var form = new ProfileForm("Ada", "http://example.com/a.png");
        Assert.True(form.HasFault);

        var kept = form with { ShownAvatar = form.Avatar };

        Assert.False(kept.HasFault);
        Assert.Equal((null, false, false), (kept.ToUpdate().Avatar, kept.ToUpdate().RemoveAvatar, kept.ToUpdate().EditsAvatar));
    }

    [Fact]
    public void Picture_OverHttp_IsRefusedInABody_AndDroppedFromAToken()
    {
        var errors = new Pulse.Web.Http.ValidationErrors();
        new ProfileSyncRequest(Avatar: "http://example.com/a.png").ToUpdate(s_caller, joinsByEmail: false, errors);

        Assert.True(errors.Any);
        Assert.Null(Update(new(), s_caller with { Picture = "http://example.com/a.png" }).Avatar);
    }

    [Fact]
    public void ToUpdate_EmptyBody_TakesTheToken() => Assert.Equal(
        new ProfileUpdate { Email = "ada@example.com", EmailVerified = true, Name = "Ada of the token", Avatar = "https://example.com/token.png" },
        Update(new(), s_caller));

    [Fact]
    public void ToUpdate_NameAndAvatarInBody_ComeBeforeTheTokens() => Assert.Equal(
        new ProfileUpdate { Email = "ada@example.com", EmailVerified = true, Name = "Countess", EditsName = true, Avatar = "https://example.com/body.png", EditsAvatar = true },
        Update(new(Email: "ADA@example.COM", Name: "Countess", Avatar: "https://example.com/body.png"), s_caller));

    [Fact]
    public void ToUpdate_SessionsToken_LeavesTheAddressAsItIs()
    {
        var session = s_caller with { OwnUserId = Guid.NewGuid(), SessionId = Guid.NewGuid().ToString() };

        Assert.Equal((null, false), Update(new(), session) is var update ? (update.Email, update.EmailVerified) : default);
        Assert.Equal((null, false), Update(new(Email: "Ada@example.com"), session) is var same ? (same.Email, same.EmailVerified) : default);
    }

    [Theory]
    [InlineData("Ada@Example.com", true)]
    [InlineData("ada@ﬁrma.example", true)]
    [InlineData("ada@xn--bcher-kva.example", true)]
    [InlineData("ﬁona@example.com", false)]
    [InlineData("ａda@example.com", false)]
    public void ToUpdate_AddressVerifiedInAnotherSpelling_ProvesTheSameMailboxOnly(string email, bool verified)
    {
        var update = Update(new(), s_caller with { Email = email });

        Assert.NotNull(update.Email);
        Assert.Equal(verified, update.EmailVerified);
    }

    [Fact]
    public void ToUpdate_TokenWithoutEmail_TakesTheBodysUnverified() => Assert.Equal(
        ("ada@example.com", false),
        Update(new(Email: "Ada@example.com"), s_caller with { Email = null }) is var update ? (update.Email, update.EmailVerified) : default);

    [Fact]
    public void ToUpdate_EmptyBodyAndToken_KeepsTheStoredProfile() => Assert.Equal(
        new ProfileUpdate(),
        Update(new(), s_caller with { Email = null, Name = null, Picture = null }));

    [Fact]
    public void ToUpdate_TokensNameAndPictureBreakRules_AreIgnored() => Assert.Equal(
        new ProfileUpdate { Email = "ada@example.com", EmailVerified = true },
        Update(new(), s_caller with { Name = " ", Picture = "javascript:alert(1)" }));

    [Theory]
    [InlineData("eve@example.com", "Ada@Example.com", "differs")]
    [InlineData("not an address", "Ada@Example.com", "single address")]
    [InlineData("", null, "single address")]
    [InlineData(null, "not an address", "token's email claim")]
    [InlineData("ada@example.com", "", "token's email claim")]
    public void ToUpdate_FaultyEmail_NamesTheFault(string? body, string? token, string message)
    {
        var errors = new ValidationErrors();

        new ProfileSyncRequest(Email: body).ToUpdate(s_caller with { Email = token }, joinsByEmail: false, errors);

        Assert.Contains(message, Assert.Single(errors.ByMember["email"]), StringComparison.Ordinal);
    }

    [Fact]
    public void ToUpdate_SeveralFaults_NamesEachMember()
    {
        var errors = new ValidationErrors();

        new ProfileSyncRequest("x", " ", "x").ToUpdate(s_caller with { Email = null }, joinsByEmail: false, errors);

        Assert.Equal(["avatar", "email", "name"], errors.ByMember.Keys.Order());
    }

    private static ProfileUpdate Update(ProfileSyncRequest request, Caller caller)
    {
        var errors = new ValidationErrors();
        var update = request.ToUpdate(caller, joinsByEmail: false, errors);
        Assert.Empty(errors.ByMember);
        return update;
    }
}
