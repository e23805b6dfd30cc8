package api

import (
	"maps"

	"github.com/hikyaku/hikyaku/internal/access"
)

// accountRights are the rows of the endpoint table for portfolios, accounts, numbers and those who use them.
var accountRights = map[endpoint]right{
	{post, kindBusiness, ""}:                 {scopes: scopeB},
	{remove, kindBusiness, ""}:               {scopes: scopeB},
	{post, kindBusiness, edgeOwned}:          {scopes: scopeMB},
	{get, kindBusiness, edgeSystemUsers}:     {scopes: scopeB},
	{post, kindBusiness, edgeSystemUsers}:    {scopes: scopeB},
	{post, kindBusiness, edgeBizToken}:       {scopes: scopeB},
	{post, kindBusiness, edgeBizTokens}:      {scopes: scopeB},
	{get, kindBusiness, edgeUsers}:           {scopes: scopeB},
	{get, kindBusiness, edgeOwnedApps}:       {scopes: scopeB},
	{get, kindBusiness, edgePreverified}:     {scopes: scopeMB},
	{post, kindBusiness, edgeAddNumbers}:     {scopes: scopeMB},
	{post, kindBusiness, edgeSharePre}:       {scopes: scopeMB},
	{remove, kindBusiness, edgeSharePre}:     {scopes: scopeMB},
	{get, kindBusiness, edgeAgencies}:        {scopes: scopeB},
	{remove, kindBusiness, edgeAgencies}:     {scopes: scopeB},
	{get, kindBusiness, edgeCredits}:         {scopes: scopeB},
	{get, kindCredit, ""}:                    {scopes: scopeB},
	{post, kindCredit, edgeShareAttach}:      {scopes: scopeB},
	{post, kindCredit, edgeShareCredit}:      {scopes: scopeB},
	{post, kindCredit, edgeAttachCredit}:     {scopes: scopeB},
	{get, kindCredit, edgeAllocations}:       {scopes: scopeB},
	{get, kindAllocation, ""}:                {scopes: scopeB},
	{remove, kindAllocation, ""}:             {scopes: scopeB},
	{get, kindBusiness, "clients"}:           {scopes: scopeB},
	{remove, kindBusiness, "clients"}:        {scopes: scopeB},
	{get, kindPreverified, ""}:               {scopes: scopeMB},
	{remove, kindPreverified, ""}:            {scopes: scopeMB},
	{post, kindPreverified, edgeRequestCode}: {scopes: scopeMB},
	{post, kindPreverified, edgeVerifyCode}:  {scopes: scopeMB},
	{get, kindPreverified, edgePartners}:     {scopes: scopeMB},
	{post, kindWABA, ""}:                     {scopeM, access.Develop},
	{get, kindWABA, edgeAssigned}:            {scopeM, access.ManageUsers},
	{post, kindWABA, edgeAssigned}:           {scopeM, access.ManageUsers},
	{remove, kindWABA, edgeAssigned}:         {scopeM, access.ManageUsers},
	{get, kindWABA, edgeActivities}:          {scopeM, access.Develop},
	{get, kindWABA, edgeAgencies}:            {scopeM, access.ManageUsers},
	{post, kindWABA, edgeAgencies}:           {scopeM, access.Manage},
	{remove, kindWABA, edgeAgencies}:         {scopeM, access.Manage},
	{post, kindWABA, edgeNumbers}:            {scopeM, access.ManagePhone},
	{post, kindNumber, edgeRequestCode}:      {scopeMS, access.ManagePhone},
	{post, kindNumber, edgeVerifyCode}:       {scopeMS, access.ManagePhone},
	{get, kindNumber, edgeSettings}:          {scopeMS, access.ManagePhone},
	{post, kindNumber, edgeSettings}:         {scopeMS, access.ManagePhone},
	{get, kindNumber, edgeProfile}:           {scopeMS, access.ManagePhone},
	{post, kindNumber, edgeProfile}:          {scopeMS, access.ManagePhone},
	{get, kindNumber, edgeAutomation}:        {scopeMS, access.ManagePhoneAssets},
	{post, kindNumber, edgeAutomation}:       {scopeM, access.ManagePhoneAssets},
	{get, kindNumber, edgeQR}:                {scopeM, access.ManagePhoneAssets},
	{post, kindNumber, edgeQR}:               {scopeM, access.ManagePhoneAssets},
	{remove, kindNumber, edgeQR}:             {scopeM, access.ManagePhoneAssets},
	{get, kindNumber, edgeEncryption}:        {scopeMS, access.Develop},
	{post, kindNumber, edgeEncryption}:       {scopeMS, access.Develop},
	{get, kindNumber, edgeCommerce}:          {scopeMS, access.ManagePhone},
	{post, kindNumber, edgeCommerce}:         {scopeMS, access.ManagePhone},
	{get, kindNumber, edgeCompliance}:        {scopeMS, access.ManagePhone},
	{post, kindNumber, edgeCompliance}:       {scopeMS, access.ManagePhone},
	{post, kindNumber, edgeOfficial}:         {scopeMS, access.ManagePhone},
	{get, kindNumber, edgeUsername}:          {scopeMS, access.ManagePhone},
	{post, kindNumber, edgeUsername}:         {scopeMS, access.ManagePhone},
	{remove, kindNumber, edgeUsername}:       {scopeMS, access.ManagePhone},
	{get, kindNumber, edgeRecipients}:        {scopeM, access.ManagePhone},
	{post, kindNumber, edgeRecipients}:       {scopeM, access.ManagePhone},
	{get, kindNumber, edgeSuggestions}:       {scopeMS, access.ManagePhone},
	{post, kindNumber, edgeCalls}:            {scopeS, access.MessagingTask},
	{get, kindNumber, edgeCallPermissions}:   {scopeS, access.MessagingTask},
	{get, kindNumber, edgeGroups}:            {scopeS, access.MessagingTask},
	{post, kindNumber, edgeGroups}:           {scopeS, access.MessagingTask},
	{post, kindSystemUser, edgeApplications}: {},
	{post, kindSystemUser, edgeTokens}:       {},
	{remove, kindSystemUser, edgeTokens}:     {},
	{get, kindSystemUser, edgeAssignedTo}:    {},
	{get, kindSystemUser, edgeBusinesses}:    {},
	{get, kindPerson, edgeAssignedTo}:        {},
	{get, kindPerson, edgeBusinesses}:        {},
	{post, kindPerson, edgeBusinesses}:       {},
	{get, kindPerson, edgePermissions}:       {},
	{remove, kindPerson, edgePermissions}:    {},
}

// adminOnly are the endpoints of portfolios and system users that ask for the role ADMIN in the portfolio.
var adminOnly = map[endpoint]bool{
	{post, kindBusiness, ""}:                 true,
	{remove, kindBusiness, ""}:               true,
	{post, kindBusiness, edgeOwned}:          true,
	{post, kindBusiness, edgeSystemUsers}:    true,
	{post, kindBusiness, edgeBizToken}:       true,
	{post, kindBusiness, edgeBizTokens}:      true,
	{post, kindBusiness, edgeAddNumbers}:     true,
	{post, kindBusiness, edgeSharePre}:       true,
	{remove, kindBusiness, edgeSharePre}:     true,
	{remove, kindBusiness, edgeAgencies}:     true,
	{remove, kindBusiness, "clients"}:        true,
	{get, kindBusiness, edgeCredits}:         true,
	{get, kindCredit, ""}:                    true,
	{get, kindCredit, edgeAllocations}:       true,
	{get, kindAllocation, ""}:                true,
	{post, kindCredit, edgeShareAttach}:      true,
	{post, kindCredit, edgeShareCredit}:      true,
	{post, kindCredit, edgeAttachCredit}:     true,
	{remove, kindAllocation, ""}:             true,
	{post, kindSystemUser, edgeApplications}: true,
	{post, kindSystemUser, edgeTokens}:       true,
	{remove, kindSystemUser, edgeTokens}:     true,
}

func init() {
	maps.Copy(rights, accountRights)
	for _, edge := range emptyOfWABA {
		rights[endpoint{get, kindWABA, edge}] = right{scopeM, access.Develop}
	}
	for _, edge := range emptyOfBusiness {
		rights[endpoint{get, kindBusiness, edge}] = right{scopes: scopeB}
	}
	maps.Copy(rights, flowRights)
}
