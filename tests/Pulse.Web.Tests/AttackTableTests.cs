using System.Reflection;
using Pulse.Web.Tests.Admin;
using Pulse.Web.Tests.Audit;
using Pulse.Web.Tests.Auth;
using Pulse.Web.Tests.Http;
using Pulse.Web.Tests.Pages;
using Pulse.Web.Tests.Presence;
using Pulse.Web.Tests.Sessions;
using Pulse.Web.Tests.SignIn;
using Pulse.Web.Tests.Users;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace Pulse.Web.Tests;

/// <summary>The attacks that have a test, as a table: one row per test, or per data row of a test.</summary>
public sealed class AttackTableTests(ITestOutputHelper output)
{
    private const int AtLeast = 130;

    // The numbers are those of a review's attacks that lacked a test.
    private static readonly Attack[] s_attacks =
    [
        new(typeof(TokenValidatorTests), nameof(TokenValidatorTests.Validate_BadToken_IsRefusedWithAReason), "access token", 26),
        new(typeof(TokenValidatorTests), nameof(TokenValidatorTests.Validate_ClaimNamesInOtherCase_AreOtherClaims), "access token", 26),
        new(typeof(TokenValidatorTests), nameof(TokenValidatorTests.Validate_OneIssuersTokenUnderAnothersKey_IsRefused), "access token"),
        new(typeof(TokenValidatorTests), nameof(TokenValidatorTests.Validate_TokenWhoseSessionEnded_IsRefused), "access token"),
        new(typeof(TokenValidatorTests), nameof(TokenValidatorTests.Validate_SidOfNoSession_IsRefused), "access token"),
        new(typeof(AuthJsTests), nameof(AuthJsTests.Validate_BadToken_IsRefusedWithAReason), "Auth.js token"),
        new(typeof(AuthJsTests), nameof(AuthJsTests.Validate_TokenNamingAnotherIssuer_CountsAsTheApplications), "Auth.js token"),
        new(typeof(AuthorityIssuerTests), nameof(AuthorityIssuerTests.Validate_PublicKeyAsHmacSecret_IsRefused), "published keys"),
        new(typeof(AuthorityIssuerTests), nameof(AuthorityIssuerTests.Validate_KeyThatIsNotPublished_IsRefused), "published keys"),
        new(typeof(AuthorityIssuerTests), nameof(AuthorityIssuerTests.Validate_ManyInventedKids_FetchTheKeysAtMostOnceMore), "published keys"),
        new(typeof(AuthorityIssuerTests), nameof(AuthorityIssuerTests.Validate_KeysRotated_NewKeyPasses_WithdrawnKeyIsRefused), "published keys", 32),
        new(typeof(AuthorityIssuerTests), nameof(AuthorityIssuerTests.Validate_DiscoveryDocumentOfAnotherIssuer_IsRefused), "published keys"),
        new(typeof(AuthOptionsTests), nameof(AuthOptionsTests.Validate_OneKeyForTwoIssuers_NamesBoth), "settings"),
        new(typeof(SecretStrengthTests), nameof(SecretStrengthTests.IsGuessable_MadeByHand_IsTrue), "settings", 38),
        new(typeof(BadTokenLogTests), nameof(BadTokenLogTests.BadTokens_AreOneShortLine_WithoutKeyMaterialOrTextOfTheSender), "logs", 27),
        new(typeof(AuditEventsTests), nameof(AuditEventsTests.Event_IsOneLine_WithAllItsFields_AndNoSecret), "logs", 28),
        new(typeof(ValidatedTokenCacheTests), nameof(ValidatedTokenCacheTests.Add_LongTokens_AreBoundedByTheirLength), "memory", 54),
        new(typeof(BearerTests), nameof(BearerTests.Request_OddAuthorizationHeader_IsChallenged), "request headers"),
        new(typeof(BearerTests), nameof(BearerTests.Request_OddBytes_IsABadRequest), "request headers"),
        new(typeof(BearerTests), nameof(BearerTests.Request_HugeHeaders_AreRefused), "request headers"),
        new(typeof(SessionTests), nameof(SessionTests.BadCookie_IsSignedOut_AndCleared), "session cookie"),
        new(typeof(SessionTests), nameof(SessionTests.AnotherUsersId_WithTheOwnSecret_IsSignedOut), "session cookie"),
        new(typeof(SessionTests), nameof(SessionTests.SignInByForm_OverAPlantedCookie_StartsANewSessionEachTime), "session cookie"),
        new(typeof(SessionTests), nameof(SessionTests.End_AnotherUsersOrUnknownSession_IsNotFound), "session cookie"),
        new(typeof(SameOriginTests), nameof(SameOriginTests.Post_FromAnOriginThatLooksLikeOurs_IsRefused), "other sites"),
        new(typeof(SameOriginTests), nameof(SameOriginTests.EveryChange_FromAnotherSite_IsRefusedAndChangesNothing), "other sites"),
        new(typeof(SameOriginTests), nameof(SameOriginTests.AnonymousForm_FromAnotherSite_IsRefused), "other sites"),
        new(typeof(SameOriginTests), nameof(SameOriginTests.Form_WithoutItsToken_IsRefused), "other sites"),
        new(typeof(SameOriginTests), nameof(SameOriginTests.Form_WithAnotherUsersToken_IsRefused), "other sites"),
        new(typeof(CorsTests), nameof(CorsTests.Preflight_OtherOrigin_MayNot), "other sites"),
        new(typeof(ProductionSignInTests), nameof(ProductionSignInTests.Answers_ToAListedOrigin_AllowNoCredentials), "other sites", 29, 30),
        new(typeof(HubAccessTests), nameof(HubAccessTests.WebSocket_IsForPagesOfThisSiteAndOfListedOrigins), "other sites", 40),
        new(typeof(OpenIdSignInTests), nameof(OpenIdSignInTests.SignIn_BegunByAnotherSite_WaitsForAButton), "other sites", 16),
        new(typeof(SiteTests), nameof(SiteTests.StrictTransportSecurity_IsSentOutsideDevelopmentOverHttps), "transport", 3),
        new(typeof(SiteTests), nameof(SiteTests.Development_AnswersNamesOfThisMachineAlone), "foreign host", 47),
        new(typeof(ProductionSignInTests), nameof(ProductionSignInTests.MailLink_LeadsToThePublicUrl), "foreign host", 14),
        new(typeof(ProductionSignInTests), nameof(ProductionSignInTests.Challenge_HasThePublicRedirectUri_AndHostCookies), "foreign host", 2),
        new(typeof(ProductionSignInTests), nameof(ProductionSignInTests.Schemes_AnswerOnlyAtTheirCallback), "unasked routes", 13),
        new(typeof(TrustedProxyTests), nameof(TrustedProxyTests.Client_IsTheAddressThatATrustedProxyNames), "forwarded headers"),
        new(typeof(OpenIdSignInTests), nameof(OpenIdSignInTests.Callback_InAnotherBrowser_IsRefused_AndStillWorksInTheFirst), "callback", 1),
        new(typeof(OpenIdSignInTests), nameof(OpenIdSignInTests.Callback_WithTheStateOfAnotherSignIn_IsRefused), "callback"),
        new(typeof(OpenIdSignInTests), nameof(OpenIdSignInTests.Callback_WithACodeThatWasUsed_IsRefused), "callback"),
        new(typeof(OpenIdSignInTests), nameof(OpenIdSignInTests.Callback_WithAParameterChanged_IsRefused), "callback"),
        new(typeof(OpenIdSignInTests), nameof(OpenIdSignInTests.Callback_WithoutASignIn_IsRefused), "callback"),
        new(typeof(OpenIdSignInTests), nameof(OpenIdSignInTests.Callback_AtAnotherProvider_IsRefused), "callback"),
        new(typeof(HostileProviderTests), nameof(HostileProviderTests.WrongToken_IsRefused), "hostile provider"),
        new(typeof(HostileProviderTests), nameof(HostileProviderTests.ForgedToken_IsRefused), "hostile provider"),
        new(typeof(HostileProviderTests), nameof(HostileProviderTests.NonceOfAnEarlierSignIn_IsRefused), "hostile provider"),
        new(typeof(HostileProviderTests), nameof(HostileProviderTests.WrongTokenAnswer_IsRefused), "hostile provider"),
        new(typeof(TenantTests), nameof(TenantTests.IssuerThatIsNotTheTenants_IsRefused), "hostile tenant"),
        new(typeof(TenantTests), nameof(TenantTests.OneSubjectInTwoTenants_IsTwoUsers_AndProvesNoAddress), "hostile tenant"),
        new(typeof(ReturnUrlTests), nameof(ReturnUrlTests.AnythingElse_IsTheDashboard), "open redirect"),
        new(typeof(WhoIsWhoTests), nameof(WhoIsWhoTests.AddressReissuedAtOneProvider_IsRefused), "address of another"),
        new(typeof(WhoIsWhoTests), nameof(WhoIsWhoTests.SquattedAddress_StaysUsableByItsOwner), "address of another", 8),
        new(typeof(WhoIsWhoTests), nameof(WhoIsWhoTests.JoinsByEmail_IsForProvidersThatAreAuthoritative), "address of another", 36),
        new(typeof(SyncTests), nameof(SyncTests.Sync_AnotherUsersEmail_IsRefusedAndChangesNothing), "address of another"),
        new(typeof(SyncTests), nameof(SyncTests.Sync_TrustedIssuersProvenEmailOfAnotherUser_IsRefused), "address of another"),
        new(typeof(SyncTests), nameof(SyncTests.Sync_UnprovenEmail_GetsTheSameAnswerWhetherItIsRegisteredOrFree), "who is registered", 9),
        new(typeof(EmailSignInTests), nameof(EmailSignInTests.Ask_ForAKnownAddress_AnswersAsForAnUnknownOne), "who is registered"),
        new(typeof(SignUpTests), nameof(SignUpTests.MailRoute_AnswersUnknownAddressesAlike_AndSendsThemNoMail), "who is registered"),
        new(typeof(SignUpTests), nameof(SignUpTests.Provider_SignsUpOnlyTheListedDomains), "sign-up"),
        new(typeof(SignUpTests), nameof(SignUpTests.TrustedIssuersToken_SignsUpOnlyTheListedDomains), "sign-up"),
        new(typeof(LinkingTests), nameof(LinkingTests.Proof_IsUsedOnce), "linking", 4),
        new(typeof(LinkingTests), nameof(LinkingTests.TwoAccountsOfOneProvider_AreListedEachWithItsAddress_AndUnlinkedByThemselves), "linking", 5),
        new(typeof(LinkingTests), nameof(LinkingTests.SignInOfMoreThanTenMinutes_ChangesNothing), "linking", 6),
        new(typeof(LinkingTests), nameof(LinkingTests.Unlink_EndsTheSessionsOfThatAccount_AndNoOthers), "linking", 7),
        new(typeof(AccountTests), nameof(AccountTests.Link_OfAnotherUsersAccount_IsRefused), "linking"),
        new(typeof(AccountTests), nameof(AccountTests.Link_BegunElsewhere_IsRefused), "linking"),
        new(typeof(AccountTests), nameof(AccountTests.Link_FinishedByAnotherUser_IsRefused), "linking"),
        new(typeof(SubjectTests), nameof(SubjectTests.TrustedIssuersToken_UnlinksNoAccount), "linking"),
        new(typeof(EmailSignInTests), nameof(EmailSignInTests.Link_InAnotherBrowser_IsRefused_AndTheCodeWorksInTheAskingOne), "mail link", 17),
        new(typeof(EmailSignInTests), nameof(EmailSignInTests.Code_InABrowserThatDidNotAsk_IsRefused), "mail link"),
        new(typeof(EmailSignInTests), nameof(EmailSignInTests.Code_WrongFiveTimes_EndsTheMail), "mail link"),
        new(typeof(EmailSignInTests), nameof(EmailSignInTests.SignOutEverywhere_EndsTheLinksOfTheMailbox), "mail link", 18),
        new(typeof(EmailSignInTests), nameof(EmailSignInTests.SignIn_EndsTheOtherLinksOfTheMailbox), "mail link", 18),
        new(typeof(EmailSignInTests), nameof(EmailSignInTests.Link_Changed_IsRefused), "mail link"),
        new(typeof(EmailSignInTests), nameof(EmailSignInTests.Confirm_WithoutTheForm_IsRefused_AndUsesNothingUp), "mail link"),
        new(typeof(HeadersTests), nameof(HeadersTests.Page_AllowsNoInlineCodeAndNoFrameAndIsNotStored), "mail link", 31),
        new(typeof(EmailSignInTests), nameof(EmailSignInTests.Mails_ToOneMailboxInManySpellings_AreCountedTogether), "flood", 10),
        new(typeof(SignInLimitsTests), nameof(SignInLimitsTests.MailsAndGuesses_AreLimitedByNetworkAndAddress), "flood", 11, 12),
        new(typeof(SignInLimitsTests), nameof(SignInLimitsTests.SiteLimit_IsTakenByMailsThatNetworksMaySend), "flood", 11),
        new(typeof(CallLimitTests), nameof(CallLimitTests.MessagesFarBeyondTheLimit_CutTheConnection), "flood", 19),
        new(typeof(CallLimitTests), nameof(CallLimitTests.LookupsOfOneUser_AreLimitedOverHubAndRestTogether_WithoutLimitingOthers), "flood", 23),
        new(typeof(HubAdmissionTests), nameof(HubAdmissionTests.ConnectsOfOneUser_AreLimitedBeforeTheSharedPlaces), "flood", 21),
        new(typeof(HubAdmissionTests), nameof(HubAdmissionTests.RequestOfAnExistingConnection_UsesNoPlace_AnEmptyIdDoes), "flood", 22),
        new(typeof(AuditCountsTests), nameof(AuditCountsTests.Flood_FromManyAddresses_IsABoundedNumberOfLines), "flood"),
        new(typeof(PresenceHubTests), nameof(PresenceHubTests.Reauthenticate_AsAnotherUser_IsRefused), "hub", 41),
        new(typeof(HubTicketTests), nameof(HubTicketTests.SessionThatEnds_ClosesItsConnection_OverEachTransport), "hub", 39),
        new(typeof(HubTicketTests), nameof(HubTicketTests.Ticket_OfANegotiatedConnection_IsUsedOnceForAllItsRequests), "hub", 39),
        new(typeof(CallLimitTests), nameof(CallLimitTests.SlashAtTheEndOfThePath_LeavesTheLimitInForce), "flood", 19),
        new(typeof(HubAccessTests), nameof(HubAccessTests.PolicyThatChanges_HidesAndShowsAWatchedUser), "hub", 43),
        new(typeof(HubAccessTests), nameof(HubAccessTests.StatusMessage_WithTextDirectionControls_IsRefused), "hub", 25),
        new(typeof(HubAccessTests), nameof(HubAccessTests.StatusMessage_WithHalfASurrogatePair_IsRefusedByItsCode), "hub", 25),
        new(typeof(SyncInputTests), nameof(SyncInputTests.Sync_BadBody_NamesTheMember), "request body"),
        new(typeof(ProfileRulesTests), nameof(ProfileRulesTests.NameFault_BadName_IsASentence), "profile"),
        new(typeof(ProfileRulesTests), nameof(ProfileRulesTests.AvatarFault_NoHttpUrl_IsASentence), "profile"),
        new(typeof(AdminTests), nameof(AdminTests.ErasedUser_IsNotFound_AndTokensCannotCreateItAgain), "erased user", 50),
        new(typeof(ErasureTests), nameof(ErasureTests.TrustedIssuersToken_FromBeforeTheErasure_IsRefused_AndALaterOneMakesANewUser), "erased user", 50),
        new(typeof(AdminTests), nameof(AdminTests.Request_WithoutTheKey_IsRefused_AndLearnsNothing), "admin API"),
        new(typeof(AdminTests), nameof(AdminTests.WrongKeys_AreLimited_RightKeyIsAccepted), "admin API"),
    ];

    // Number → the reason why this table has no test for it.
    private static readonly Dictionary<int, string> s_withoutTest = new()
    {
        [15] = "AllowedHosts is the framework's own setting: its parser and its tests decide what a spelling means. The public URL does not depend on it.",
        [34] = "The framework compares the userinfo subject with the ID token's; its own tests cover that.",
        [42] = "It needs a silo that dies between two messages; ARCHITECTURE.md gives the bound, which is the token's lifetime.",
        [44] = "Slow headers and bodies meet Kestrel's own limits; a bound for silent connections belongs to the proxy before it.",
        [46] = "The proxy of the sample deployment is started by the deployment's tests, not by these.",
        [48] = "An outsider's client is refused by the silos' TLS, which the cluster's tests check.",
        [51] = "Times of single requests are no stable assertion on a shared machine; both kinds of address take the same path.",
        [52] = "Routes are mapped by method, and the same-origin check counts every method but the four safe ones as a change.",
    };

    private static readonly int[] s_numbers = [.. Enumerable.Range(1, 19), 21, 22, 23, .. Enumerable.Range(25, 8), 34, 36, .. Enumerable.Range(38, 7), 46, 47, 48, 50, 51, 52, 54];

    private sealed record Attack(Type Tests, string Test, string Kind, params int[] Numbers)
    {
        public IEnumerable<string> Rows()
        {
            var method = Tests.GetMethod(Test) ?? throw new XunitException($"{Tests.Name} has no {Test}.");
            var data = method.GetCustomAttributes<DataAttribute>().SelectMany(rows => rows.GetData(method)).ToArray();
            return data.Length == 0 ? [$"{Kind}: {Test}"] : data.Select(row => $"{Kind}: {Test}({string.Join(", ", (row ?? [null]).Select(Shorten))})");
        }

        private static string Shorten(object? value) =>
            value?.ToString() is { } text ? string.Concat((text.Length > 60 ? $"{text[..60]}…" : text).Select(c => char.IsControl(c) || c > '~' ? '?' : c)) : "none";
    }

    [Fact]
    public void Attacks_AreAsManyAsTheTableSays()
    {
        string[] rows = [.. s_attacks.SelectMany(attack => attack.Rows()).Order(StringComparer.Ordinal)];
        foreach (var (index, row) in rows.Index()) output.WriteLine($"{index + 1,4}  {row}");

        Assert.True(rows.Length >= AtLeast, $"Only {rows.Length} attacks have a test.");
    }

    [Fact]
    public void AttacksOfTheReview_HaveATestOrAReason()
    {
        var tested = s_attacks.SelectMany(attack => attack.Numbers).ToHashSet();

        Assert.Equal(s_numbers.Order(), tested.Concat(s_withoutTest.Keys).Order());
    }
}
