//! Invented business words for names and labels.

/// Nouns for objects.
pub(super) const NOUNS: &[&str] = &[
    "Agreement", "Allocation", "Application", "Appointment", "Asset", "Assessment", "Batch", "Booking", "Budget",
    "Campaign", "Certificate", "Claim", "Commitment", "Complaint", "Consignment", "Contribution", "Coverage",
    "Credential", "Delivery", "Deposit", "Device", "Dispatch", "Enrollment", "Entitlement", "Estimate", "Event",
    "Facility", "Feedback", "Forecast", "Fulfillment", "Grant", "Inspection", "Instalment", "Inventory", "Invoice",
    "Itinerary", "Journal", "License", "Listing", "Location", "Maintenance", "Membership", "Milestone", "Mission",
    "Notification", "Obligation", "Onboarding", "Partner", "Payment", "Placement", "Policy", "Premium", "Programme",
    "Project", "Qualification", "Quotation", "Receipt", "Referral", "Registration", "Reimbursement", "Renewal",
    "Request", "Reservation", "Route", "Schedule", "Settlement", "Shipment", "Subscription", "Supplier", "Survey",
    "Territory", "Timesheet", "Training", "Transfer", "Vehicle", "Visit", "Voucher", "Warehouse", "Warranty",
];

/// Words in front of nouns.
pub(super) const QUALIFIERS: &[&str] = &[
    "Account", "Annual", "Billing", "Branch", "Business", "Carrier", "Channel", "Collection", "Commercial",
    "Compliance", "Contract", "Corporate", "Customer", "Dealer", "Digital", "Domestic", "Education", "Employee",
    "Engineering", "External", "Field", "Finance", "Fleet", "Global", "Health", "Household", "Insurance", "Internal",
    "Legal", "Logistics", "Marketing", "Merchant", "Network", "Operations", "Partner", "Procurement", "Product",
    "Quality", "Regional", "Retail", "Revenue", "Risk", "Sales", "Security", "Service", "Strategic", "Support",
    "Technical", "Travel", "Vendor", "Volunteer", "Wholesale",
];

/// Words that begin field labels.
pub(super) const ASPECTS: &[&str] = &[
    "Actual", "Additional", "Adjusted", "Agreed", "Allocated", "Alternative", "Annualised", "Approved", "Assigned",
    "Calculated", "Communicated", "Confirmed", "Consolidated", "Converted", "Current", "Delegated", "Documented",
    "Effective", "Eligible", "Estimated", "Expected", "Forecasted", "Guaranteed", "Historical", "Initial",
    "Intermediate", "Last", "Maximum", "Minimum", "Negotiated", "Next", "Original", "Outstanding", "Overdue",
    "Planned", "Preferred", "Previous", "Primary", "Projected", "Proposed", "Recommended", "Reconciled",
    "Registered", "Remaining", "Requested", "Revised", "Scheduled", "Secondary", "Standard", "Submitted",
    "Supplementary", "Target", "Temporary", "Total", "Validated", "Verified", "Weighted",
];

/// Words in the middle of field labels.
pub(super) const TOPICS: &[&str] = &[
    "Approval", "Assessment", "Billing", "Business", "Commission", "Communication", "Completion", "Compliance",
    "Consultation", "Contact", "Contract", "Coordination", "Correspondence", "Currency", "Customer", "Decision",
    "Delivery", "Department", "Discount", "Distribution", "Documentation", "Engagement", "Evaluation", "Financing",
    "Implementation", "Inspection", "Insurance", "Integration", "Investigation", "Invoice", "Liability",
    "Maintenance", "Manufacturing", "Negotiation", "Notification", "Obligation", "Onboarding", "Partner", "Payment",
    "Performance", "Procurement", "Product", "Qualification", "Reconciliation", "Registration", "Renewal",
    "Response", "Retention", "Revenue", "Review", "Satisfaction", "Service", "Settlement", "Shipping",
    "Subscription", "Support", "Termination", "Transaction", "Translation", "Utilisation", "Verification",
    "Warranty",
];

/// Words that end labels of texts and numbers.
pub(super) const MEASURES: &[&str] = &[
    "Amount", "Balance", "Category", "Channel", "Classification", "Code", "Comment", "Condition", "Count",
    "Deadline", "Description", "Duration", "Factor", "Frequency", "Identifier", "Indicator", "Level", "Location",
    "Method", "Number", "Outcome", "Percentage", "Period", "Priority", "Quantity", "Rate", "Rating", "Reason",
    "Reference", "Score", "Segment", "Source", "Stage", "Status", "Threshold", "Type", "Value", "Volume",
];

/// Values of picklists.
pub(super) const VALUES: &[&str] = &[
    "Accepted", "Active", "Archived", "Awaiting Documents", "Blocked", "Cancelled", "Closed", "Completed",
    "Critical", "Declined", "Deferred", "Draft", "Escalated", "Expired", "Failed", "High", "In Progress",
    "In Review", "Inactive", "Low", "Medium", "New", "Not Applicable", "On Hold", "Open", "Paid", "Partially Paid",
    "Pending", "Planned", "Rejected", "Reopened", "Research & Development", "Scheduled", "Sent", "Shipped",
    "Submitted", "Suspended", "Transferred", "Under Negotiation", "Urgent", "Validated", "Withdrawn",
];

/// Sentences for descriptions and help texts.
pub(super) const SENTENCES: &[&str] = &[
    "Filled by the nightly load from the ledger; do not change by hand.",
    "Set when the customer's request is accepted.", "Used in the monthly report to finance & controlling.",
    "Agreed with the regional teams; see the process handbook.", "Shown to partners, so keep the wording short.",
    "Needed for the yearly audit.", "Kept for records older than the migration.",
    "Calculated from the lines, rounded to two digits.", "Only the service desk may change this.",
    "If empty, the value of the parent is used.",
];

/// Names of permissions of users that profiles carry.
pub(super) const USER_PERMISSIONS: &[&str] = &[
    "ActivateContract", "ActivateOrder", "AddDirectMessageMembers", "AllowUniversalSearch", "AllowViewKnowledge",
    "ApiEnabled", "AssignPermissionSets", "AssignTopics", "BulkApiHardDelete", "CanInsertFeedSystemFields",
    "CanUseNewDashboardBuilder", "ChatterInternalUser", "ConvertLeads", "CreateCustomizeDashboards",
    "CreateCustomizeFilters", "CreateCustomizeReports", "CreateDashboardFolders", "CreateReportFolders",
    "CreateTopics", "CreateWorkBadgeDefinition", "CustomizeApplication", "DataExport", "DelegatedTwoFactor",
    "DeleteActivatedContract", "DeleteTopics", "DistributeFromPersWksp", "EditActivatedOrders", "EditBillingInfo",
    "EditBrandTemplates", "EditCaseComments", "EditEvent", "EditHtmlTemplates", "EditKnowledge", "EditMyDashboards",
    "EditMyReports", "EditOppLineItemUnitPrice", "EditPublicDocuments", "EditPublicFilters", "EditPublicTemplates",
    "EditReadonlyFields", "EditTask", "EditTopics", "EmailMass", "EmailSingle", "EnableCommunityAppLauncher",
    "EnableNotifications", "ExportReport", "FlowUFLRequired", "ImportCustomObjects", "ImportLeads", "ImportPersonal",
    "LightningConsoleAllowedForUser", "LightningExperienceUser", "ListEmailSend", "ManageAnalyticSnapshots",
    "ManageAuthProviders", "ManageBusinessHourHolidays", "ManageCallCenters", "ManageCases", "ManageCategories",
    "ManageCertificates", "ManageContentPermissions", "ManageContentProperties", "ManageContentTypes",
    "ManageCustomPermissions", "ManageCustomReportTypes", "ManageDashbdsInPubFolders", "ManageDataCategories",
    "ManageDataIntegrations", "ManageDynamicDashboards", "ManageEmailClientConfig", "ManageEntitlements",
    "ManageHealthCheck", "ManageInteraction", "ManageInternalUsers", "ManageIpAddresses", "ManageKnowledge",
    "ManageKnowledgeImportExport", "ManageLeads", "ManageLoginAccessPolicies", "ManageMobile", "ManageNetworks",
    "ManagePasswordPolicies", "ManageProfilesPermissionsets", "ManagePvtRptsAndDashbds", "ManageRemoteAccess",
    "ManageReportsInPubFolders", "ManageRoles", "ManageSharing", "ManageSolutions", "ManageSynonyms", "ManageUsers",
    "MassInlineEdit", "ModifyAllData", "ModifyMetadata", "NewReportBuilder", "RunReports", "ScheduleReports",
    "SelectFilesFromSalesforce", "SendSitRequests", "ShareInternalArticles", "ShowCompanyNameAsUserBadge",
    "SolutionImport", "SubmitMacrosAllowed", "TransferAnyCase", "TransferAnyEntity", "TransferAnyLead",
    "UseTeamReassignWizards", "ViewAllData", "ViewDataCategories", "ViewDeveloperName", "ViewEventLogFiles",
    "ViewHealthCheck", "ViewHelpLink", "ViewMyTeamsDashboards", "ViewPublicDashboards", "ViewPublicReports",
    "ViewRoles", "ViewSetup", "ViewUserPII",
];

/// Standard objects with the standard fields whose access profiles set.
pub(super) const STANDARD: &[(&str, &str, &[&str])] = &[
    (
        "Account", "Accounts",
        &[
            "AccountNumber", "AccountSource", "AnnualRevenue", "BillingAddress", "Description", "Fax", "Industry",
            "Jigsaw", "NumberOfEmployees", "Ownership", "ParentId", "Phone", "Rating", "ShippingAddress", "Sic",
            "SicDesc", "Site", "TickerSymbol", "Type", "Website",
        ],
    ),
    (
        "Contact", "Contacts",
        &[
            "AccountId", "AssistantName", "AssistantPhone", "Birthdate", "Department", "Description", "DoNotCall",
            "Email", "Fax", "HasOptedOutOfEmail", "HasOptedOutOfFax", "HomePhone", "Jigsaw", "LeadSource",
            "MailingAddress", "MobilePhone", "OtherAddress", "OtherPhone", "Phone", "ReportsToId", "Title",
        ],
    ),
    (
        "Opportunity", "Opportunities",
        &[
            "AccountId", "Amount", "CampaignId", "Description", "ExpectedRevenue", "IsPrivate", "LeadSource",
            "NextStep", "Probability", "TotalOpportunityQuantity", "Type",
        ],
    ),
    (
        "Lead", "Leads",
        &[
            "Address", "AnnualRevenue", "CampaignId", "Description", "DoNotCall", "Email", "Fax",
            "HasOptedOutOfEmail", "HasOptedOutOfFax", "Industry", "Jigsaw", "LeadSource", "MobilePhone",
            "NumberOfEmployees", "Phone", "Rating", "Title", "Website",
        ],
    ),
    (
        "Case", "Cases",
        &[
            "AccountId", "AssetId", "BusinessHoursId", "ClosedDate", "ContactId", "Description", "IsClosedOnCreate",
            "IsEscalated", "Origin", "ParentId", "Priority", "Reason", "SourceId", "Subject", "SuppliedCompany",
            "SuppliedEmail", "SuppliedName", "SuppliedPhone", "Type",
        ],
    ),
    (
        "Campaign", "Campaigns",
        &[
            "ActualCost", "AmountAllOpportunities", "BudgetedCost", "Description", "EndDate", "ExpectedResponse",
            "ExpectedRevenue", "IsActive", "NumberOfContacts", "NumberOfLeads", "NumberSent", "ParentId",
            "StartDate", "Status", "Type",
        ],
    ),
    (
        "Product2", "Products",
        &[
            "Description", "DisplayUrl", "ExternalId", "Family", "IsActive", "ProductCode", "QuantityUnitOfMeasure",
        ],
    ),
    (
        "Contract", "Contracts",
        &[
            "ActivatedById", "ActivatedDate", "BillingAddress", "CompanySignedDate", "CompanySignedId",
            "CustomerSignedDate", "CustomerSignedId", "CustomerSignedTitle", "Description", "EndDate",
            "OwnerExpirationNotice", "ShippingAddress", "SpecialTerms",
        ],
    ),
];
