using System.Security.Cryptography;
using Pulse.Web.Sessions;

namespace Pulse.Web.Tests.Sessions;

public sealed class SessionSecretTests
{
    [Fact]
    public void Create_ThenParse_GivesUserAndHash()
    {
        var secret = SessionSecret.Create(Guid.CreateVersion7());

        Assert.Equal(64, secret.Text.Length);
        Assert.True(SessionSecret.TryParse(secret.Text, out var parsed));
        Assert.Equal((secret.UserId, secret.Text), (parsed.UserId, parsed.Text));
        Assert.Equal(secret.Hash, parsed.Hash);
        Assert.Equal(SHA256.HashSizeInBytes, parsed.Hash.Length);
    }

    [Fact]
    public void Create_Twice_HasNothingSecretInCommon()
    {
        var userId = Guid.CreateVersion7();

        Assert.NotEqual(SessionSecret.Create(userId).Text[22..], SessionSecret.Create(userId).Text[22..]);
    }

    [Theory]
    [MemberData(nameof(BadCookies.Changes), MemberType = typeof(BadCookies))]
    public void Parse_WhatCreateCannotHaveMade_IsRefusedOrAnotherSecret(string change)
    {
        var secret = SessionSecret.Create(Guid.CreateVersion7());

        Assert.True(!SessionSecret.TryParse(BadCookies.Apply(change, secret.Text), out var parsed) || !parsed.Hash.AsSpan().SequenceEqual(secret.Hash));
    }

    [Fact]
    public void Parse_Nothing_IsRefused() => Assert.False(SessionSecret.TryParse("", out _));

    [Fact]
    public void Parse_NobodysCookie_IsRefused() => Assert.False(SessionSecret.TryParse(SessionSecret.Create(Guid.Empty).Text, out _));
}
